//! PostgreSQL's own programs, and a directory for their files.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::port::port;

/// A directory for one cluster, which belongs to the user that PostgreSQL runs as.
pub struct Place {
    directory: PathBuf,
    user: Option<User>,
}

impl Place {
    /// Creates an empty one in the directory for temporary files: PostgreSQL refuses to run as root, and
    /// the user it runs as instead may not be able to reach the target directory.
    pub fn make() -> io::Result<Self> {
        // A short name: the path of a Unix socket is limited to 107 bytes.
        let directory = std::env::temp_dir().join(format!("tenantry-{:016x}", random()));
        DirBuilder::new().mode(0o700).create(&directory)?;
        let user = User::to_run_as(&directory)?;
        if let Some(user) = &user {
            chown(&directory, Some(user.uid), Some(user.gid))?;
        }
        Ok(Self { directory, user })
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the data directory of PostgreSQL.
    pub fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// Returns a command that runs in the directory, as the user that owns it.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        // Excludes the developer's own PGPORT, PGDATA and the like.
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LC_ALL", "C")
            .current_dir(&self.directory)
            .stdin(Stdio::null());
        if let Some(user) = &self.user {
            command.uid(user.uid).gid(user.gid);
        }
        command
    }

    /// Makes a watchdog stop the cluster and remove its directory once nobody has locked the file for
    /// ten seconds, whatever happens to this process.
    pub fn watch(&self, tools: &Tools, lock: File) -> io::Result<()> {
        // In its own process group: what ends the tests (Ctrl-C, nextest) must not end it.
        self.command(Path::new("sh"))
            .args(["-c", include_str!("watchdog.sh"), "watchdog"])
            .args([&self.directory, &tools.pg_ctl])
            .stdin(lock)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(())
    }

    /// Creates a cluster, and returns the password of its user `postgres`.
    pub fn init(&self, tools: &Tools) -> io::Result<String> {
        // A password, because everyone on this machine can reach the port, and a superuser of PostgreSQL
        // can run commands as its user (CVE-2014-0067). MD5, because SCRAM costs 6 ms per connection,
        // and nothing here is worth that.
        let password = format!("{:016x}{:016x}", random(), random());
        std::fs::write(self.directory.join("password"), &password)?;
        let initdb = |locale: &[&str]| {
            run(self
                .command(&tools.initdb)
                .args(["--username=postgres", "--auth=md5", "--pwfile=password"])
                .args(["--no-sync", "--encoding=UTF8", "--locale=C"])
                .args(locale)
                .arg("--pgdata")
                .arg(self.data()))
        };
        // A linguistic sort order, as most servers have, reveals queries that forget to ask for byte
        // order. PostgreSQL 14, and builds without ICU, do not support it.
        initdb(&["--locale-provider=icu", "--icu-locale=en"]).or_else(|_| initdb(&[]))?;
        Ok(password)
    }

    /// Makes it a copy of the cluster at that URL, which continues to follow it.
    pub fn follow(&self, tools: &Tools, primary: &str) -> io::Result<()> {
        run(self
            .command(&tools.other("pg_basebackup"))
            .args(["--write-recovery-conf", "--no-sync", "--checkpoint=fast"])
            .args(["--dbname", primary])
            .arg("--pgdata")
            .arg(self.data()))?;
        // The primary's own settings do not apply to the replica.
        let settings = self.data().join("postgresql.auto.conf");
        let copied = std::fs::read_to_string(&settings)?;
        let follows = copied
            .lines()
            .map(str::trim)
            .find(|line| line.starts_with("primary_conninfo"));
        let follows = follows.ok_or_else(|| io::Error::other("it follows nobody"))?;
        std::fs::write(self.data().join("follow.conf"), follows)
    }

    /// Starts the cluster on a free port, which is returned, with these settings after those that make
    /// it fast: it survives a crash of its processes, but not of the machine.
    pub fn start(&self, tools: &Tools, settings: &str) -> io::Result<u16> {
        let follows = std::fs::read_to_string(self.data().join("follow.conf")).unwrap_or_default();
        let mut attempt = 1;
        loop {
            let port = port()?;
            let all = format!(
                "listen_addresses = '127.0.0.1'
                port = {port}
                unix_socket_directories = '{}'
                max_connections = 400
                shared_buffers = '128MB'
                fsync = off
                full_page_writes = off
                autovacuum = off
                {follows}
                {settings}
                ",
                self.directory.display()
            );
            std::fs::write(self.data().join("postgresql.auto.conf"), all)?;
            match self.resume(tools) {
                Ok(()) => return Ok(port),
                // Another process may have taken the port in the meantime.
                Err(_) if attempt < 3 => attempt += 1,
                Err(error) => {
                    let log = self.directory.join("log");
                    let log = std::fs::read_to_string(log).unwrap_or_default();
                    return Err(io::Error::other(format!("{error}\n{log}")));
                }
            }
        }
    }

    /// Starts the cluster again with its last settings.
    pub fn resume(&self, tools: &Tools) -> io::Result<()> {
        run(self
            .command(&tools.pg_ctl)
            .args(["start", "--wait", "--silent", "--timeout=60", "--log=log"])
            .arg("--pgdata")
            .arg(self.data()))
    }

    /// Stops the cluster: `fast`, or `immediate`, which is equivalent to a crash.
    pub fn stop(&self, tools: &Tools, mode: &str) -> io::Result<()> {
        run(self
            .command(&tools.pg_ctl)
            .args(["stop", "--wait", "--silent", "--mode", mode])
            .arg("--pgdata")
            .arg(self.data()))
    }
}

fn random() -> u64 {
    getrandom::u64().expect("the system has randomness")
}

/// Runs a command to completion. The error contains its error output.
fn run(command: &mut Command) -> io::Result<()> {
    let output = command.stdout(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let program = command.get_program().display();
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{program}: {said}")))
}

/// The programs that are needed.
pub struct Tools {
    initdb: PathBuf,
    pg_ctl: PathBuf,
}

impl Tools {
    /// Finds them on the PATH, or in the highest version where Debian keeps them.
    pub fn find() -> Result<Self, String> {
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

    /// Returns the path of another program: it is next to the actual `initdb`, which may be reached by a
    /// link.
    pub fn other(&self, name: &str) -> PathBuf {
        let itself = self.initdb.canonicalize();
        let itself = itself.unwrap_or_else(|_| self.initdb.clone());
        itself.with_file_name(name)
    }
}

struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// Returns the user to run PostgreSQL as instead of root. `None` means the current user, who owns
    /// `own`, which was just created.
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
