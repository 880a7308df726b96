//! What a process needs to start: the data directory, the database, the files, and the keys that verify
//! identities. Any problem with them is reported to the operator in one line.

use std::sync::Arc;

use reqwest::Client;

use crate::app::{App, Clock};
use crate::auth::token::{DevelopmentKey, count_keys};
use crate::config::{Config, Issuer};
use crate::db::{self, Db, Kind};
use crate::files::Store;

/// Why the program does not start: one line for the operator, which says what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(pub String);

/// Creates the shared state of a process that serves no requests: opens the database, and migrates it if
/// so configured.
///
/// # Errors
/// One line for the operator.
pub async fn open_app(config: Config, clock: Arc<dyn Clock>) -> Result<App, StartError> {
    let db = open(&config).await?;
    let files = open_files(&config)?;
    bring_up_to_date(&db, &config).await?;
    Ok(App::new(db, files, config, clock))
}

/// Like [`open_app`], for one-off work that cannot wait for migrations.
///
/// # Errors
/// One line for the operator; also if migrations are missing.
pub async fn open_current_app(config: Config, clock: Arc<dyn Clock>) -> Result<App, StartError> {
    let app = open_app(config, clock).await?;
    match missing_migrations(&app.db).await? {
        0 => Ok(app),
        missing => Err(StartError(format!(
            "the database lacks {missing} migrations; run `tenantry migrate`"
        ))),
    }
}

/// Warns if the database reports errors in a language in which they are not recognized.
async fn look_at_messages(db: &Db) {
    let looked = async { db::foreign_messages(&mut db.read().await?).await };
    match looked.await {
        Ok(None) => {}
        Ok(Some(foreign)) => tracing::warn!("the database {foreign}"),
        Err(error) => tracing::debug!(
            error = error.details(),
            "the language of the database's messages cannot be determined"
        ),
    }
}

/// Migrates the database, or warns that somebody else has to.
pub(crate) async fn bring_up_to_date(db: &Db, config: &Config) -> Result<(), StartError> {
    look_at_messages(db).await;
    if config.database.auto_migrate {
        let ran = migrate_database(db).await?;
        if !ran.is_empty() {
            tracing::info!(migrations = ?ran, "database brought up to date");
        }
        return Ok(());
    }
    let missing = missing_migrations(db).await?;
    if missing > 0 {
        tracing::warn!(
            missing,
            "the database lacks migrations; nothing works until `tenantry migrate` has run"
        );
    }
    Ok(())
}

async fn missing_migrations(db: &Db) -> Result<usize, StartError> {
    let standing = async { db::standing(&mut db.read().await?).await };
    let standing = standing.await.map_err(|error| {
        StartError(format!(
            "the database cannot be read: {}; see `tenantry check`",
            error.details()
        ))
    })?;
    Ok(standing.missing.len())
}

/// Opens the configured database, and checks that it can be reached and written. Creates the data
/// directory, and the file of a SQLite database.
///
/// # Errors
/// One line for the operator.
pub async fn open(config: &Config) -> Result<Db, StartError> {
    make_data_dir(config)?;
    let db = reach(config).await?;
    prove_writable(&db, config).await?;
    Ok(db)
}

/// Opens the configured database, and checks that it can be reached.
///
/// # Errors
/// One line for the operator.
pub async fn reach(config: &Config) -> Result<Db, StartError> {
    let db = Db::new(config.database_options()).map_err(|error| {
        StartError(format!(
            "the database cannot be opened: {}",
            error.details()
        ))
    })?;
    if let Err(error) = db.read().await {
        let details = error.details();
        let hint = match db.kind() {
            Kind::Postgres if details.contains("startup parameter") => {
                "for a pooler, set DATABASE_LISTEN_URL to PostgreSQL itself"
            }
            Kind::Postgres => "check DATABASE_URL, and that PostgreSQL is running",
            Kind::Sqlite => "check that the data directory can be written (TENANTRY_DATA_DIR)",
        };
        return Err(StartError(format!(
            "the database cannot be reached: {details}; {hint}"
        )));
    }
    Ok(db)
}

/// Checks that the database can be written, as far as that depends on files.
///
/// # Errors
/// One line for the operator.
pub async fn prove_writable(db: &Db, config: &Config) -> Result<(), StartError> {
    db::prove_writable(db).await.map_err(|error| {
        let (name, details) = (config.database_options().name(), error.details());
        let hint = match error.is_of_broken_file() {
            true => "restore it from a backup",
            false => "check that the user running Tenantry can write the file and its folder",
        };
        StartError(format!(
            "the database ({name}) cannot be written: {details}; {hint}"
        ))
    })
}

/// Migrates the database. Returns the versions that were missing.
///
/// # Errors
/// One line for the operator.
pub async fn migrate_database(db: &Db) -> Result<Vec<String>, StartError> {
    db::migrate(db).await.map_err(|error| {
        StartError(format!(
            "the database cannot be brought up to date: {}",
            error.details()
        ))
    })
}

/// Opens the file store.
pub(crate) fn open_files(config: &Config) -> Result<Store, StartError> {
    Store::open(config).map_err(|error| StartError(format!("{error:#}")))
}

fn make_data_dir(config: &Config) -> Result<(), StartError> {
    std::fs::create_dir_all(&config.data_dir).map_err(|error| {
        let folder = config.data_dir.display();
        StartError(format!(
            "the data directory {folder} cannot be created: {error}; set TENANTRY_DATA_DIR to a writable folder"
        ))
    })
}

/// Returns the key that signs development identities, which is created if missing; none if they are not
/// accepted.
pub(crate) fn development_key(config: &Config) -> Result<Option<DevelopmentKey>, StartError> {
    if !config.auth.development_enabled() {
        return Ok(None);
    }
    make_data_dir(config)?;
    let key = DevelopmentKey::load_or_create(&config.data_dir);
    key.map(Some).map_err(|error| StartError(error.to_string()))
}

/// Fetches or reads the keys of the issuer at index `number` of the configuration, and returns how many
/// there are.
///
/// # Errors
/// One line for the operator: the keys are not available, or none of them can be used.
pub async fn look_for_keys(
    number: usize,
    issuer: &Issuer,
    http: &Client,
) -> Result<usize, StartError> {
    count_keys(issuer, http).await.map_err(|cause| {
        let key = match &issuer.jwks_file {
            Some(_) => "jwks_file",
            None => "jwks_url",
        };
        StartError(format!(
            "cannot load the keys of the issuer {}: {cause}; check auth.issuers.{number}.{key}",
            issuer.issuer
        ))
    })
}

/// Reads the keys that are in files. Those that have to be fetched may become available later.
pub(crate) async fn read_keys(config: &Config, http: &Client) -> Result<(), StartError> {
    for (number, issuer) in config.auth.issuers.iter().enumerate() {
        if issuer.jwks_file.is_some() {
            look_for_keys(number, issuer, http).await?;
        }
    }
    Ok(())
}
