//! The documentation gives a reason for each dependency and for each of its features.

/// Crates with their features: one dependency of the manifest, or one row of the documentation.
#[derive(Debug)]
struct Named<'a> {
    crates: Vec<&'a str>,
    features: Vec<&'a str>,
}

/// The texts between pairs of a mark.
fn between(mark: char, text: &str) -> Vec<&str> {
    text.split(mark).skip(1).step_by(2).collect()
}

/// The dependencies in the manifest.
fn dependencies(manifest: &str) -> Vec<Named<'_>> {
    let mut is_inside = false;
    let mut dependencies = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_inside = line.trim_end().ends_with("dependencies]");
        } else if let Some((name, value)) = line.split_once(" = ")
            && is_inside
        {
            let features = value.split_once(", features = [").unwrap_or_default().1;
            dependencies.push(Named {
                crates: vec![name.trim()],
                features: between('"', features),
            });
        }
    }
    dependencies
}

/// The rows of the documentation's tables: crates in the first column, features in the last.
fn rows(documentation: &str) -> Vec<Named<'_>> {
    let rows = documentation.lines().filter_map(|line| {
        let (first, rest) = line.strip_prefix('|')?.split_once('|')?;
        let (_, last) = rest.trim_end_matches('|').rsplit_once('|')?;
        Some(Named {
            crates: between('`', first),
            features: between('`', last),
        })
    });
    rows.collect()
}

impl Named<'_> {
    fn shares_a_crate_with(&self, other: &Self) -> bool {
        self.crates.iter().any(|name| other.crates.contains(name))
    }

    /// Whether one of `others` about the same crate names the feature.
    fn has_in(&self, others: &[Self], feature: &str) -> bool {
        let mut about = others.iter().filter(|it| it.shares_a_crate_with(self));
        about.any(|it| it.features.contains(&feature))
    }
}

#[test]
fn every_dependency_is_accounted_for() {
    let documented = rows(include_str!("../../docs/dependencies.md"));
    let dependencies = dependencies(include_str!("../../Cargo.toml"));
    assert!(dependencies.len() > 40, "{dependencies:?}");
    for dependency in &dependencies {
        let mut rows = documented.iter();
        let is_there = rows.any(|row| row.shares_a_crate_with(dependency));
        assert!(is_there, "{dependency:?} has no row");
        for feature in &dependency.features {
            let is_there = dependency.has_in(&documented, feature);
            assert!(is_there, "no row of {dependency:?} has {feature}");
        }
    }
    for row in &documented {
        for feature in &row.features {
            let is_there = row.has_in(&dependencies, feature);
            assert!(is_there, "{row:?} has {feature}, which is not in use");
        }
    }
}
