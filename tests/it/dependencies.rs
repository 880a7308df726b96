//! That the documentation says of each dependency why it is there.

/// The names in the tables of dependencies.
fn names(manifest: &str) -> Vec<&str> {
    let mut is_inside = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_inside = line.trim_end().ends_with("dependencies]");
        } else if let Some((name, _)) = line.split_once(" = ")
            && is_inside
        {
            names.push(name.trim());
        }
    }
    names
}

#[test]
fn every_dependency_is_accounted_for() {
    let documented = include_str!("../../docs/dependencies.md");
    let names = names(include_str!("../../Cargo.toml"));
    assert!(names.len() > 40, "{names:?}");
    let is_missing = |name: &&&str| !documented.contains(&format!("`{name}`"));
    let missing: Vec<_> = names.iter().filter(is_missing).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
