//! What some tests need and not every machine has: Node, Python, a browser.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::task::block_in_place;

/// Returns a folder of the repository.
pub fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Whether what the test needs is there. If not, prints a notice about what was not tested and what to
/// do about it.
///
/// # Panics
///
/// If it is missing while `CI=true`.
pub fn is_there(is_there: bool, otherwise: &str) -> bool {
    if is_there {
        return true;
    }
    let is_ci = std::env::var("CI").as_deref() == Ok("true");
    assert!(!is_ci, "CI=true, and: {otherwise}");
    let line = "=".repeat(otherwise.len());
    // Not `eprintln!`, whose output the test harness hides unless the test fails.
    let _ = std::io::stderr().write_all(format!("\n{line}\n{otherwise}\n{line}\n").as_bytes());
    false
}

/// Whether Node is installed, and the module in the folder.
pub fn has_node_modules(folder: &Path, module: &str) -> bool {
    let node = Command::new("node").arg("--version").output();
    node.is_ok() && folder.join("node_modules").join(module).is_dir()
}

/// Returns the output of a command that must succeed.
pub fn said_by(command: &mut Command) -> String {
    let output = block_in_place(|| command.output()).expect("the command can be run");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{failed}");
    said
}
