//! The databases that every test runs on.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tenantry::config::{Config, Secret};
use tenantry::db::{Db, migrate};

use super::postgres::{self, TestDatabase};

/// The databases that every test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    /// Points the configuration at a database of its own. On a machine without PostgreSQL, that is
    /// always SQLite, and a notice is printed.
    pub async fn provide(self, config: &mut Config) -> Option<TestDatabase> {
        let template = match self {
            Self::Sqlite => None,
            Self::Postgres => postgres::from_template(&template_name(), prepare).await,
        };
        if let Some(database) = &template {
            config.database.url = Some(Secret::new(database.url().to_owned()));
        }
        template
    }
}

async fn prepare(url: &str) {
    let mut config = Config::default();
    config.database.url = Some(Secret::new(url.to_owned()));
    let db = Db::new(config.database_options()).expect("the template's URL is valid");
    migrate(&db).await.expect("the migrations run");
}

/// Returns a name that changes whenever a migration does.
fn template_name() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/postgres");
    let mut hash = Sha256::new();
    for file in files(&root) {
        hash.update(fs::read(file).expect("a migration can be read"));
    }
    let digest = data_encoding::HEXLOWER.encode(&hash.finalize()[..8]);
    format!("tenantry_{digest}")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder of the migrations can be read");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}
