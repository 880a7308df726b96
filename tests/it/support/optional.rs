//! What some tests need and not every machine has: Node, Python, a browser.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::task::block_in_place;

/// A folder of the repository.
pub fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Whether what the test needs is there. Where it is not, says loudly what was not tested and what to
/// do about it.
///
/// # Panics
///
/// If it is not there while `CI=true`.
pub fn is_there(is_there: bool, otherwise: &str) -> bool {
    if is_there {
        return true;
    }
    let is_ci = std::env::var("CI").as_deref() == Ok("true");
    assert!(!is_ci, "CI=true, and: {otherwise}");
    let line = "=".repeat(otherwise.len());
    // Not `eprintln!`, which the test harness keeps for itself unless a test fails.
    let _ = std::io::stderr().write_all(format!("\n{line}\n{otherwise}\n{line}\n").as_bytes());
    false
}

/// Whether there is Node, and its modules were installed in the folder.
pub fn has_node_modules(folder: &Path, module: &str) -> bool {
    let node = Command::new("node").arg("--version").output();
    node.is_ok() && folder.join("node_modules").join(module).is_dir()
}

/// What a command that must succeed says.
pub fn said_by(command: &mut Command) -> String {
    let output = block_in_place(|| command.output()).expect("the command can be run");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{failed}");
    said
}
