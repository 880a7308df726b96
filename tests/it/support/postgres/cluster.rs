//! A throw-away PostgreSQL cluster, shared by all test processes of one target directory.
//!
//! Tests may run as threads of one process or, with `cargo nextest`, in a process each, and a process
//! may be killed at any time. Ownership of the cluster is therefore a matter of file locks, which the
//! kernel releases whatever happens:
//!
//! - `start.lock`, exclusive: held while looking for a running cluster or starting one.
//! - `users.lock`, shared: held by each process for as long as it lives. When nobody has held it for ten
//!   seconds, the cluster's watchdog (`watchdog.sh`) takes it, stops the cluster and removes its
//!   directory. The watchdog is started first, so that nothing is left if starting the cluster is
//!   interrupted.
//!
//! The cluster itself is in the directory for temporary files: PostgreSQL refuses to run as root, and
//! the user it runs as instead may not be able to reach the target directory.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use url::Url;

use super::tools::{Place, Tools};

/// A running cluster and this process's claim on it.
pub struct Cluster {
    url: Url,
    /// Shared lock, never released: see the module.
    _claim: File,
}

impl Cluster {
    /// Returns the URL of the database `postgres`, for a superuser.
    pub fn url(&self) -> &Url {
        &self.url
    }
}

/// Why there is no cluster.
pub enum Failure {
    /// Something is not installed.
    Missing(String),
    /// Something is installed but does not work.
    Broken(String),
}

/// Joins the running cluster, or starts one.
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
        // Opened again: a lock belongs to the open file, and this process has its own lock.
        None => start_cluster(tools, &note, open("users.lock")?)?,
    };
    Ok(Cluster { url, _claim: claim })
}

/// Returns the URL of the cluster described by `note`, which has the URL on one line and the directory
/// on the next, if it is running.
fn running(note: &Path) -> Option<Url> {
    let note = std::fs::read_to_string(note).ok()?;
    let (url, directory) = note.split_once('\n')?;
    let url = Url::parse(url).ok()?;
    // Another program may use the port by now; the socket, in a directory of ours, is unambiguous.
    let socket = format!(".s.PGSQL.{}", url.port()?);
    UnixStream::connect(Path::new(directory).join(socket)).ok()?;
    Some(url)
}

fn start_cluster(tools: &Tools, note: &Path, lock: File) -> io::Result<Url> {
    let place = Place::make()?;
    place.watch(tools, lock)?;
    let password = place.init(tools)?;
    // No data has to survive.
    let port = place.start(tools, "synchronous_commit = off")?;
    let url = format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(note)?;
    write!(file, "{url}\n{}", place.directory().display())?;
    running(note).ok_or_else(|| io::Error::other("it started and does not listen"))
}
