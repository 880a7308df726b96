//! The program, in its own process.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tenantry::config::{Config, Secret};
use tenantry::db::Db;

use super::Database;
use super::optional::is_there;
use super::postgres::TestDatabase;
use super::wait::until;

/// Creates a workspace.
pub const MAKE: &str =
    "mutation { createWorkspace(input: { name: \"Rocket\" }) { workspace { slug } } }";

/// Decodes a program's output.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// Asserts that the program ended with status 1 and printed nothing but one line for the operator that
/// contains these words.
pub fn assert_fails(output: &Output, says: &[&str]) {
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert_eq!(text(&output.stdout), "");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.ends_with('\n'), "{error}");
    for word in says {
        assert!(error.contains(word), "{word} is not in: {error}");
    }
}

/// The environment of a program under test: a folder, and a database of its own.
pub struct Program {
    pub folder: TempDir,
    pub database: Option<TestDatabase>,
}

impl Program {
    pub async fn new(on: Database) -> Self {
        Self {
            folder: TempDir::new().expect("a temporary folder"),
            database: on.provide(&mut Config::default()).await,
        }
    }

    /// Returns a command that runs the program, without this process's environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        command
            .args(arguments)
            .env_clear()
            .env("RUST_BACKTRACE", "1")
            .env("PORT", "0")
            .env("TENANTRY_DATA_DIR", self.folder.path().join("data"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        if let Some(database) = &self.database {
            command.env("DATABASE_URL", database.url());
        }
        command
    }

    /// Creates a fully migrated database that is not writable.
    pub fn read_only_database(&self) -> PathBuf {
        let file = self.folder.path().join("read-only.db");
        let mut command = self.command(&["migrate"]);
        command.env("DATABASE_URL", format!("sqlite://{}", file.display()));
        assert!(command.output().expect("it can be run").status.success());
        let mut permissions = std::fs::metadata(&file).expect("a file").permissions();
        permissions.set_readonly(true);
        std::fs::set_permissions(&file, permissions).expect("a file of ours");
        file
    }

    /// Opens its database, to read or change it without the program.
    pub fn db(&self) -> Db {
        let mut config = Config {
            data_dir: self.folder.path().join("data"),
            ..Config::default()
        };
        if let Some(database) = &self.database {
            config.database.url = Some(Secret::new(database.url().to_owned()));
        }
        Db::new(config.database_options()).expect("a database that is there")
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output();
        output.expect("the program can be run")
    }

    /// Returns a development token for the person with that address.
    pub fn token(&self, email: &str) -> String {
        let printed = self.run(&["token", "--email", email]).stdout;
        text(&printed).trim_end().to_owned()
    }

    pub fn serve(&self) -> Serving {
        Serving::start(self.command(&[]).stderr(Stdio::null()))
    }

    /// Like [`Program::serve`], with everything that can be logged in the file `log`.
    pub fn serve_logging(&self, log: &Path) -> Serving {
        let log = File::create(log).expect("a file in a folder of ours");
        let mut command = self.command(&[]);
        command.env("RUST_LOG", "trace").stderr(log);
        Serving::start(&mut command)
    }
}

/// Returns a command that runs the program without the privilege to bypass file permissions, which root
/// has. `None` if that is impossible.
pub fn unprivileged(program: &Program, arguments: &[&str]) -> Option<Command> {
    let plain = program.command(arguments);
    let id = Command::new("id").arg("-u").output();
    if !id.is_ok_and(|id| id.stdout == b"0\n") {
        return Some(plain);
    }
    let less = "--bounding-set=-dac_override,-dac_read_search,-fowner";
    let mut command = Command::new("setpriv");
    let tried = command.args([less, "true"]).status();
    let otherwise = "nothing was tried with a file that must not be written; install util-linux";
    if !is_there(tried.is_ok_and(|it| it.success()), otherwise) {
        return None;
    }
    let mut command = Command::new("setpriv");
    command
        .arg(less)
        .arg(plain.get_program())
        .args(plain.get_args())
        .env_clear()
        .envs(
            plain
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir(program.folder.path())
        .stdin(Stdio::null());
    Some(command)
}

/// A running server or worker, killed when this is dropped.
pub struct Serving {
    child: Child,
    /// What it printed once it was ready.
    pub lines: Vec<String>,
    /// The URL it listens on; empty if it is only a worker.
    pub url: String,
    output: BufReader<ChildStdout>,
}

impl Serving {
    pub fn start(command: &mut Command) -> Self {
        let mut serving = Self::after(command, 4);
        let url = serving.lines[0].strip_prefix("Tenantry is listening on ");
        let url = url.unwrap_or_else(|| panic!("{:?}", serving.lines));
        serving.url = url.to_owned();
        serving
    }

    /// Starts a program that is only a worker.
    pub fn working(command: &mut Command) -> Self {
        Self::after(command, 2)
    }

    /// Starts a program, and returns once it has printed that many lines.
    fn after(command: &mut Command, lines: usize) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program can be run");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        let lines = (0..lines)
            .map(|_| {
                let mut line = String::new();
                output.read_line(&mut line).expect("text");
                line.trim_end().to_owned()
            })
            .collect();
        Self {
            child,
            lines,
            url: String::new(),
            output,
        }
    }

    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.expect("kill can be run").success());
    }

    /// Returns the exit status if the program has stopped.
    pub fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of ours")
    }

    /// Returns the exit status once the program has stopped.
    pub async fn stopped(&mut self) -> Option<i32> {
        until("the program stops", async || self.status().is_some()).await;
        self.status()?.code()
    }

    /// Returns what the program printed after those lines, until it stopped.
    pub fn rest(mut self) -> String {
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).expect("text");
        rest
    }

    /// Kills the program in the middle of whatever it is doing.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it is gone");
    }

    pub async fn ask(&self, http: &reqwest::Client, token: &str, query: &str) -> Value {
        let request = http
            .post(format!("{}/graphql", self.url))
            .bearer_auth(token)
            .json(&json!({ "query": query }));
        let response = request.send().await.expect("the server answers");
        response.json().await.expect("JSON")
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have stopped by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
