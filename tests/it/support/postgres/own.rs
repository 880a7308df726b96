//! A throw-away cluster for a single test, which can be stopped and replicated.

use std::fs::{File, OpenOptions};
use std::io;

use super::tools::{Place, Tools};

/// A cluster, removed when this is dropped.
pub struct OwnCluster {
    tools: Tools,
    place: Place,
    url: String,
    password: String,
    /// Shared lock: while it is held, the watchdog keeps the cluster running.
    _claim: File,
}

impl OwnCluster {
    /// Starts a cluster. `None` if PostgreSQL's programs are not installed.
    ///
    /// # Panics
    ///
    /// If they are missing while `CI=true`.
    pub fn start() -> Option<Self> {
        match Tools::find() {
            Ok(tools) => Some(Self::make(tools).expect("a cluster starts")),
            Err(why) => {
                let is_ci = std::env::var("CI").as_deref() == Ok("true");
                assert!(
                    !is_ci,
                    "CI=true, and there is no PostgreSQL to test with: {why}"
                );
                None
            }
        }
    }

    fn make(tools: Tools) -> io::Result<Self> {
        let place = Place::make()?;
        let claim = claim(&place, &tools)?;
        let password = place.init(&tools)?;
        let port = place.start(&tools, "wal_level = replica")?;
        Ok(Self {
            url: url(&password, port),
            tools,
            place,
            password,
            _claim: claim,
        })
    }

    /// Starts a replica that follows this cluster and can be read.
    pub fn replica(&self) -> Self {
        let made = || {
            let tools = Tools::find().map_err(io::Error::other)?;
            let place = Place::make()?;
            let claim = claim(&place, &tools)?;
            place.follow(&tools, &self.url)?;
            let port = place.start(&tools, "hot_standby = on")?;
            io::Result::Ok(Self {
                url: url(&self.password, port),
                tools,
                place,
                password: self.password.clone(),
                _claim: claim,
            })
        };
        made().expect("a replica starts")
    }

    /// Returns the URL of its database `postgres`, for a superuser.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops it: `fast`, or `immediate`, which is equivalent to a crash.
    pub fn stop(&self, mode: &str) {
        self.place.stop(&self.tools, mode).expect("it stops");
    }

    /// Starts it again with the same data, on the same port.
    pub fn resume(&self) {
        self.place.resume(&self.tools).expect("it starts again");
    }
}

impl Drop for OwnCluster {
    fn drop(&mut self) {
        // It may be stopped already. The watchdog removes what is left over.
        let _ = self.place.stop(&self.tools, "immediate");
        let _ = std::fs::remove_dir_all(self.place.directory());
    }
}

fn claim(place: &Place, tools: &Tools) -> io::Result<File> {
    let open = || {
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(place.directory().join("alive.lock"))
    };
    let claim = open()?;
    claim.lock_shared()?;
    place.watch(tools, open()?)?;
    Ok(claim)
}

fn url(password: &str, port: u16) -> String {
    format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres")
}
