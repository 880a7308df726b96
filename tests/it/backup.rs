//! `tenantry backup`: copying the SQLite database while it is in use.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};

use rstest::rstest;
use serde_json::Value;

use crate::support::process::{MAKE, Program, text};
use crate::support::{Database, Postgres, Sqlite};

/// The number of workspaces of the viewer.
fn count(answer: &Value) -> i64 {
    let count = &answer["data"]["workspaces"]["totalCount"];
    count.as_i64().unwrap_or_else(|| panic!("{answer}"))
}

const COUNT: &str = "{ workspaces { totalCount } }";

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_made_while_others_write_holds_all_that_was_acknowledged_before() {
    let home = Program::new(Sqlite).await;
    let server = home.serve();
    let http = reqwest::Client::new();
    let token = &home.token("ada@example.com");
    for _ in 0..5 {
        server.ask(&http, token, MAKE).await;
    }
    let before = count(&server.ask(&http, token, COUNT).await);
    assert_eq!(before, 5);
    let copied = AtomicBool::new(false);
    let writing = async {
        let mut made = 0;
        while !copied.load(Ordering::SeqCst) || made == 0 {
            let answer = server.ask(&http, token, MAKE).await;
            assert!(answer.get("errors").is_none(), "{answer}");
            made += 1;
        }
        made
    };
    let mut command = home.command(&["backup", "copy.db"]);
    let copying = async {
        let output = tokio::task::spawn_blocking(move || command.output()).await;
        copied.store(true, Ordering::SeqCst);
        output.expect("no panic").expect("the program can be run")
    };
    let (made, output) = tokio::join!(writing, copying);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("copy.db"));
    let copy = home.folder.path().join("copy.db");
    let mode = std::fs::metadata(&copy)
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let files = std::fs::read_dir(home.folder.path()).expect("a folder");
    let names = files.map(|file| file.expect("a file").file_name());
    assert!(
        names
            .filter_map(|name| name.into_string().ok())
            .all(|name| name == "data" || name == "copy.db"),
        "nothing else is left behind"
    );

    // Put in the place of the database, the copy serves.
    drop(server);
    for suffix in ["", "-wal", "-shm"] {
        let file = home.folder.path().join(format!("data/tenantry.db{suffix}"));
        // The journal is already gone if the last connection has closed it.
        let _ = std::fs::remove_file(file);
    }
    std::fs::rename(&copy, home.folder.path().join("data/tenantry.db")).expect("a rename");
    let server = home.serve();
    let after = count(&server.ask(&http, token, COUNT).await);
    assert!((before..=before + made).contains(&after), "{after}");
    let answer = server.ask(&http, token, MAKE).await;
    assert!(answer.get("errors").is_none(), "{answer}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_overwritten_and_nothing_left_behind(
    #[values("there.db", "nowhere/copy.db")] file: &str,
) {
    let home = Program::new(Sqlite).await;
    let output = home.run(&["backup", "copy.db"]);
    assert!(text(&output.stderr).contains("no database"));
    assert!(!home.folder.path().join("copy.db").exists());
    assert!(!home.folder.path().join("data/tenantry.db").exists());

    assert!(home.run(&["migrate"]).status.success());
    let there = home.folder.path().join("there.db");
    std::fs::write(&there, "something").expect("a file");
    let output = home.run(&["backup", file]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(error.contains(file), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert_eq!(std::fs::read(&there).expect("a file"), b"something");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn postgresql_has_its_own(#[values(Postgres)] on: Database) {
    let home = Program::new(on).await;
    if home.database.is_some() {
        let output = home.run(&["backup", "copy.db"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains("pg_dump"));
        assert!(!home.folder.path().join("copy.db").exists());
    }
}
