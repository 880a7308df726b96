//! The program itself, in a process of its own.

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

/// Makes a workspace.
pub const MAKE: &str =
    "mutation { createWorkspace(input: { name: \"Rocket\" }) { workspace { slug } } }";

/// What a program said.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// It ends with status 1, one line for the operator that says this, and nothing else.
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

/// Where a program under test lives: a folder, and a database of its own.
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

    /// The program, with nothing of this process's environment.
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

    /// A database that is up to date, and that nobody may write.
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

    /// Its database, to look at and to change behind its back.
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

    /// A development token of the person of that address.
    pub fn token(&self, email: &str) -> String {
        let printed = self.run(&["token", "--email", email]).stdout;
        text(&printed).trim_end().to_owned()
    }

    pub fn serve(&self) -> Serving {
        Serving::start(self.command(&[]).stderr(Stdio::null()))
    }

    /// As [`Program::serve`], with all that it has to say of itself in `log`.
    pub fn serve_logging(&self, log: &Path) -> Serving {
        let log = File::create(log).expect("a file in a folder of ours");
        let mut command = self.command(&[]);
        command.env("RUST_LOG", "tenantry=trace,info").stderr(log);
        Serving::start(&mut command)
    }
}

/// The program, run by somebody who is kept from what a file's permissions do not allow, as root is not.
/// `None` where that cannot be had.
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

/// A program that serves, killed with this value.
pub struct Serving {
    child: Child,
    /// What it printed once it listened.
    pub lines: Vec<String>,
    /// Where it listens; empty where it only works.
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

    /// The program that was told to serve nothing.
    pub fn working(command: &mut Command) -> Self {
        Self::after(command, 2)
    }

    /// Once it has printed so many lines.
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

    /// Its exit status, where it has stopped.
    pub fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of ours")
    }

    /// Its exit status, once it has stopped.
    pub async fn stopped(&mut self) -> Option<i32> {
        until("the program stops", async || self.status().is_some()).await;
        self.status()?.code()
    }

    /// What it printed after those lines, until it stopped.
    pub fn rest(mut self) -> String {
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).expect("text");
        rest
    }

    /// Kills it in the middle of whatever it does.
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
