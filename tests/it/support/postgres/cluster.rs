//! A throw-away PostgreSQL cluster, shared by all test processes of one target directory.
//!
//! Tests may run as threads of one process or, with `cargo nextest`, in a process each, and a
//! process may be killed at any time. So whose cluster it is, is a matter of file locks, which the
//! kernel takes back whatever happens:
//!
//! - `start.lock`, exclusive: held while looking for a running cluster or starting one.
//! - `users.lock`, shared: held by each process for as long as it lives. When nobody has held it for
//!   ten seconds, the cluster's watchdog (`watchdog.sh`) takes it, ends the cluster and removes its
//!   directory. The watchdog is started first, so that nothing is left of a start that was killed.
//!
//! The cluster itself lives in the directory for temporary files: PostgreSQL refuses to run as root,
//! and the user it then runs as may not be able to reach the target directory.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use url::Url;

/// A running cluster and this process's claim on it.
pub struct Cluster {
    url: Url,
    /// Shared lock, never given back: see the module.
    _claim: File,
}

impl Cluster {
    /// The database `postgres`, as a superuser.
    pub fn url(&self) -> &Url {
        &self.url
    }
}

/// Why there is no cluster.
pub enum Failure {
    /// What is not installed.
    Missing(String),
    /// What is installed and does not work.
    Broken(String),
}

/// Joins the cluster that is running, or starts one.
pub fn join_or_start() -> Result<Cluster, Failure> {
    let tools = Tools::find().map_err(Failure::Missing)?;
    claim(&tools).map_err(|error| Failure::Broken(error.to_string()))
}

fn claim(tools: &Tools) -> io::Result<Cluster> {
    let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join("postgres");
    std::fs::create_dir_all(&shared)?;
    let open = |name: &str| {
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(shared.join(name))
    };
    let start = open("start.lock")?;
    start.lock()?;
    let claim = open("users.lock")?;
    claim.lock_shared()?;
    let note = shared.join("cluster");
    let url = match running(&note) {
        Some(url) => url,
        // Opened anew: a lock belongs to what was opened, and this process has its own.
        None => start_cluster(tools, &note, open("users.lock")?)?,
    };
    Ok(Cluster { url, _claim: claim })
}

/// The cluster that `note` tells of, its URL and its directory in a line each, if it runs.
fn running(note: &Path) -> Option<Url> {
    let note = std::fs::read_to_string(note).ok()?;
    let (url, directory) = note.split_once('\n')?;
    let url = Url::parse(url).ok()?;
    // The port may be somebody else's by now; the socket, in a directory of ours, is not.
    let socket = format!(".s.PGSQL.{}", url.port()?);
    UnixStream::connect(Path::new(directory).join(socket)).ok()?;
    Some(url)
}

fn start_cluster(tools: &Tools, note: &Path, lock: File) -> io::Result<Url> {
    // A short name: the path of a Unix socket ends at 107 bytes.
    let directory = std::env::temp_dir().join(format!("tenantry-{:016x}", random()));
    DirBuilder::new().mode(0o700).create(&directory)?;
    let user = User::to_run_as(&directory)?;
    if let Some(user) = &user {
        chown(&directory, Some(user.uid), Some(user.gid))?;
    }
    let command = |program: &Path| {
        let mut command = Command::new(program);
        // Nothing of the developer's own PGPORT, PGDATA and the like.
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LC_ALL", "C")
            .current_dir(&directory)
            .stdin(Stdio::null());
        if let Some(user) = &user {
            command.uid(user.uid).gid(user.gid);
        }
        command
    };

    // In a process group of its own: what ends the tests (Ctrl-C, nextest) must not end it.
    command(Path::new("sh"))
        .args(["-c", include_str!("watchdog.sh"), "watchdog"])
        .args([&directory, &tools.pg_ctl])
        .stdin(lock)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;

    // A password, because everybody on this machine can reach the port, and a superuser of
    // PostgreSQL runs commands as its user (CVE-2014-0067). MD5, because SCRAM costs 6 ms for each
    // connection and nothing here is worth them.
    let password = format!("{:016x}{:016x}", random(), random());
    std::fs::write(directory.join("password"), &password)?;
    let data = directory.join("data");
    let initdb = |locale: &[&str]| {
        run(command(&tools.initdb)
            .args(["--username=postgres", "--auth=md5", "--pwfile=password"])
            .args(["--no-sync", "--encoding=UTF8", "--locale=C"])
            .args(locale)
            .arg("--pgdata")
            .arg(&data))
    };
    // Sorting as people do, like most servers there are, shows where a query forgot to say that it
    // wants bytes. PostgreSQL 14 cannot, nor can one built without ICU.
    initdb(&["--locale-provider=icu", "--icu-locale=en"]).or_else(|_| initdb(&[]))?;

    for attempt in 1.. {
        let port = free_port()?;
        let settings = data.join("postgresql.auto.conf");
        std::fs::write(&settings, settings_of(&directory, port))?;
        let started = run(command(&tools.pg_ctl)
            .args(["start", "--wait", "--silent", "--timeout=60", "--log=log"])
            .arg("--pgdata")
            .arg(&data));
        match started {
            Ok(()) => {
                let url = format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres");
                let mut file = OpenOptions::new()
                    .create(true)
                    .truncate(true)
                    .write(true)
                    .mode(0o600)
                    .open(note)?;
                write!(file, "{url}\n{}", directory.display())?;
                break;
            }
            // Somebody else may have taken the port in the meantime.
            Err(_) if attempt < 3 => {}
            Err(error) => {
                let log = std::fs::read_to_string(directory.join("log")).unwrap_or_default();
                return Err(io::Error::other(format!("{error}\n{log}")));
            }
        }
    }
    running(note).ok_or_else(|| io::Error::other("it started and does not listen"))
}

/// What makes it fast, since nothing in it has to survive.
fn settings_of(directory: &Path, port: u16) -> String {
    format!(
        "listen_addresses = '127.0.0.1'
        port = {port}
        unix_socket_directories = '{}'
        max_connections = 400
        shared_buffers = '128MB'
        fsync = off
        full_page_writes = off
        synchronous_commit = off
        autovacuum = off
        ",
        directory.display()
    )
}

fn random() -> u64 {
    getrandom::u64().expect("the system has randomness")
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Runs a command to its end; the error has what it said.
fn run(command: &mut Command) -> io::Result<()> {
    let output = command.stdout(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let program = command.get_program().display();
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{program}: {said}")))
}

struct Tools {
    initdb: PathBuf,
    pg_ctl: PathBuf,
}

impl Tools {
    /// From the PATH, or the highest version where Debian keeps them.
    fn find() -> Result<Self, String> {
        let path: Vec<PathBuf> = std::env::var_os("PATH")
            .map(|path| std::env::split_paths(&path).collect())
            .unwrap_or_default();
        if !path.iter().any(|folder| folder.join("flock").is_file()) {
            return Err("there is no flock (of util-linux) on the PATH".to_owned());
        }
        let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let version = entry.file_name().to_str()?.parse().ok()?;
                Some((version, entry.path().join("bin")))
            })
            .collect();
        versions.sort();
        path.into_iter()
            .chain(versions.into_iter().rev().map(|(_, folder)| folder))
            .map(|folder| Self {
                initdb: folder.join("initdb"),
                pg_ctl: folder.join("pg_ctl"),
            })
            .find(|tools| tools.initdb.is_file() && tools.pg_ctl.is_file())
            .ok_or_else(|| {
                "initdb and pg_ctl are neither on the PATH nor in /usr/lib/postgresql".to_owned()
            })
    }
}

struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// Whom to run PostgreSQL as, instead of root; `None` is oneself, to whom `own`, just made,
    /// belongs.
    fn to_run_as(own: &Path) -> io::Result<Option<Self>> {
        if std::fs::metadata(own)?.uid() != 0 {
            return Ok(None);
        }
        let users = std::fs::read_to_string("/etc/passwd")?;
        let find = |name: &str| {
            users.lines().find_map(|line| {
                // name:password:uid:gid:…, passwd(5)
                let mut fields = line.split(':');
                (fields.next()? == name).then_some(())?;
                Some(Self {
                    uid: fields.nth(1)?.parse().ok()?,
                    gid: fields.next()?.parse().ok()?,
                })
            })
        };
        find("postgres")
            .or_else(|| find("nobody"))
            .map(Some)
            .ok_or_else(|| io::Error::other("there is no user to run it as instead of root"))
    }
}
