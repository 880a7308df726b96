//! Checks of the databases.

use tenantry::config::{Config, Secret};
use tenantry::db::{self, Db, Kind};
use tenantry::start::{StartError, prove_writable, reach};

use super::{Finding, Line};

/// Checks the database, and the other PostgreSQL connections that are configured.
pub async fn databases(config: &Config) -> Vec<Line> {
    let mut findings = database(config).await;
    if let Some(url) = &config.database.read_url {
        findings.push(("replica", replica(config, url).await));
    }
    if config.database.listen_url.is_some() {
        findings.push(("notifications", notifications(config).await));
    }
    findings
}

/// Checks the database, its migrations and, for PostgreSQL, the language of its error messages.
async fn database(config: &Config) -> Vec<Line> {
    let options = config.database_options();
    if options.sqlite_path().is_some_and(|path| !path.exists()) {
        let later = "none have run yet; `tenantry serve` and `tenantry migrate` run them";
        let made = format!("{}, which is created at start", options.name());
        return vec![("database", Ok(made)), ("migrations", Ok(later.to_owned()))];
    }
    let (db, found) = match open(config).await {
        Ok(opened) => opened,
        Err(StartError(problem)) => {
            let nowhere = "unknown without the database".to_owned();
            return vec![("database", Err(problem)), ("migrations", Err(nowhere))];
        }
    };
    let migrations = migrations(&found.standing, config.database.auto_migrate);
    let version = supported(db.kind(), found.version, found.is_bounded)
        .map(|version| format!("{version}, {}", options.place()));
    let mut findings = vec![("database", version), ("migrations", migrations)];
    if let Some(messages) = messages(&db).await {
        findings.push(("messages", messages));
    }
    findings
}

async fn open(config: &Config) -> Result<(Db, Inspected), StartError> {
    let db = reach(config).await?;
    prove_writable(&db, config).await?;
    let inspected = inspect(&db).await.map_err(|error| {
        let hint = match error.is_of_broken_file() {
            true => "; restore it from a backup",
            false => "",
        };
        StartError(format!("it cannot be read: {}{hint}", error.details()))
    })?;
    Ok((db, inspected))
}

/// Checks the language of PostgreSQL's error messages, if it can be asked.
async fn messages(db: &Db) -> Option<Finding> {
    if db.kind() == Kind::Sqlite {
        return None;
    }
    let asked = async { db::foreign_messages(&mut db.read().await?).await };
    Some(match asked.await.ok()? {
        None => Ok("PostgreSQL reports errors in English".to_owned()),
        Some(foreign) => Err(format!("PostgreSQL {foreign}")),
    })
}

/// Checks the replica on its own. It gets its migrations from the primary.
async fn replica(config: &Config, url: &Secret) -> Finding {
    let mut options = config.database_options();
    options.url = url.expose().to_owned();
    options.read_url = None;
    let looked = async { inspect(&Db::new(options)?).await };
    match looked.await {
        Ok(Inspected {
            version, standing, ..
        }) if standing.missing.is_empty() => Ok(version),
        Ok(Inspected {
            version, standing, ..
        }) => Err(format!(
            "{version}, which lacks {} migrations; check that it is a replica of DATABASE_URL, and \
             that it keeps up",
            standing.missing.len()
        )),
        Err(error) => Err(format!(
            "it cannot be read: {}; check DATABASE_READ_URL",
            error.details()
        )),
    }
}

/// Checks the direct connection that bypasses a pooler: without it, instances get no notifications.
async fn notifications(config: &Config) -> Finding {
    let mut options = config.database_options();
    options.url = options.direct_url().to_owned();
    options.listen_url = None;
    options.read_url = None;
    let name = options.name();
    let reached = async { Db::new(options)?.read().await };
    match reached.await {
        Ok(_) => Ok(name),
        Err(error) => Err(format!(
            "{name} cannot be reached: {}; check DATABASE_LISTEN_URL",
            error.details()
        )),
    }
}

struct Inspected {
    version: String,
    is_bounded: bool,
    standing: db::Standing,
}

async fn inspect(db: &Db) -> tenantry::error::Result<Inspected> {
    let mut conn = db.read().await?;
    Ok(Inspected {
        version: db::version(&mut conn).await?,
        is_bounded: db::is_bounded(&mut conn).await?,
        standing: db::standing(&mut conn).await?,
    })
}

/// Checks the version, which for PostgreSQL must be 14 or later, and that statements are bounded in
/// time: through a pooler, connections cannot set that themselves.
fn supported(kind: Kind, version: String, is_bounded: bool) -> Finding {
    let number = version.split([' ', '.']).nth(1);
    let major: Option<u32> = number.and_then(|number| number.parse().ok());
    match (kind, major) {
        (Kind::Postgres, Some(..14)) => Err(format!("{version}; upgrade it to 14 or later")),
        _ if !is_bounded => Err(format!(
            "{version}, through a pooler, has no statement timeout; as its role, run: ALTER ROLE \
             CURRENT_USER SET statement_timeout = '15s'"
        )),
        _ => Ok(version),
    }
}

fn migrations(standing: &db::Standing, auto_migrate: bool) -> Finding {
    let (missing, unknown) = (standing.missing.len(), standing.unknown.len());
    match (missing, auto_migrate) {
        _ if unknown > 0 => Err(format!(
            "a newer version has migrated the database ({}); run that version",
            standing.unknown.join(", ")
        )),
        (0, _) => Ok("the database is up to date".to_owned()),
        (_, true) => Ok(format!("{missing} are missing; `tenantry serve` runs them")),
        (_, false) => Err(format!("{missing} are missing; run `tenantry migrate`")),
    }
}
