//! Who belongs to a workspace, and who may change that.

mod changing;
mod racing;

fn pairs(members: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(email, role): &(&str, &str)| (format!("{email}@example.com"), role.to_string());
    members.iter().map(owned).collect()
}
