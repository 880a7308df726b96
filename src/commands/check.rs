//! `tenantry check`: whether what a server needs is there, one line for each, with what to do where
//! it is not. It changes nothing but that it makes the data directory, as a server does.

use std::path::{Path, PathBuf};

use tenantry::config::{Config, Secret, environment};
use tenantry::db::{self, Db, Kind};
use tenantry::files::{ObjectId, Store};
use tenantry::http::{StartError, open};
use tenantry::metrics::Metrics;
use tenantry::models::provider::Provider;
use tenantry::providers::Providers;
use tenantry::worker::MailServer;
use uuid::Uuid;

use crate::say;

/// What was found: how it is, or what is wrong and what to do about it.
type Finding = Result<String, String>;

/// Looks at everything and prints what it finds.
///
/// # Errors
/// One line that counts the problems, where there are any.
pub fn run(file: Option<PathBuf>) -> Result<(), StartError> {
    let config = match Config::load(file.as_deref(), environment()) {
        Ok(config) => config,
        Err(error) => {
            print("configuration", &Err(error.to_string()))?;
            return Err(StartError(problems(1)));
        }
    };
    let runtime = tokio::runtime::Runtime::new().map_err(crate::start_error)?;
    let findings = runtime.block_on(look(&config, file.as_deref()));
    for (subject, finding) in &findings {
        print(subject, finding)?;
    }
    match findings.iter().filter(|(_, it)| it.is_err()).count() {
        0 => Ok(()),
        count => Err(StartError(problems(count))),
    }
}

/// Everything that is looked at, in the order in which it is printed.
async fn look(config: &Config, file: Option<&Path>) -> Vec<(&'static str, Finding)> {
    let (database, migrations) = database(config).await;
    let mut findings = vec![
        ("configuration", configuration(file)),
        ("data directory", data_directory(config)),
        ("database", database),
        ("migrations", migrations),
    ];
    if let Some(messages) = messages(config).await {
        findings.push(("messages", messages));
    }
    if let Some(url) = &config.database.read_url {
        findings.push(("replica", replica(config, url).await));
    }
    findings.extend([
        ("files", files(config).await),
        ("mail", mail(config).await),
        ("providers", providers(config)),
    ]);
    findings
}

fn print(subject: &str, finding: &Finding) -> Result<(), StartError> {
    let (word, text) = match finding {
        Ok(text) => ("ok", text),
        Err(text) => ("problem", text),
    };
    say(&format!("{word:<7}  {subject:<14}  {text}"))
}

fn problems(count: usize) -> String {
    match count {
        1 => "there is a problem".to_owned(),
        count => format!("there are {count} problems"),
    }
}

fn configuration(file: Option<&Path>) -> Finding {
    let usual = Path::new("tenantry.toml");
    let file = file.or(usual.exists().then_some(usual));
    Ok(match file {
        Some(file) => format!("{}, and the environment", file.display()),
        None => "the defaults, and the environment".to_owned(),
    })
}

fn data_directory(config: &Config) -> Finding {
    let folder = &config.data_dir;
    let written = || {
        std::fs::create_dir_all(folder)?;
        let probe = folder.join(format!(".check.{}", std::process::id()));
        std::fs::write(&probe, "")?;
        std::fs::remove_file(&probe)
    };
    match written() {
        Ok(()) => Ok(format!("{} can be written", folder.display())),
        Err(error) => Err(format!(
            "{} cannot be written: {error}; set TENANTRY_DATA_DIR to a folder that can be",
            folder.display()
        )),
    }
}

/// The database, and its migrations.
async fn database(config: &Config) -> (Finding, Finding) {
    let nowhere = || Err("cannot be told without the database".to_owned());
    let options = config.database_options();
    if let Some(path) = options.url.strip_prefix("sqlite://")
        && !Path::new(path).exists()
    {
        let later = "none have run yet; `tenantry serve` and `tenantry migrate` run them";
        return (
            Ok(format!("SQLite, in {path}, which is made at start")),
            Ok(later.to_owned()),
        );
    }
    let db = match open(config).await {
        Ok(db) => db,
        Err(StartError(problem)) => return (Err(problem), nowhere()),
    };
    match inspect(&db).await {
        Ok(Inspected {
            version,
            is_bounded,
            standing,
        }) => (
            supported(&db, version, is_bounded),
            migrations(&standing, config.database.auto_migrate),
        ),
        Err(error) => {
            let problem = format!("it cannot be read: {error:?}; restore it from a backup");
            (Err(problem), nowhere())
        }
    }
}

/// The language of PostgreSQL's errors, where it can be asked.
async fn messages(config: &Config) -> Option<Finding> {
    let options = config.database_options();
    if options.url.starts_with("sqlite://") {
        return None;
    }
    let looked = async { db::foreign_messages(&mut Db::new(options)?.read().await?).await };
    Some(match looked.await.ok()? {
        None => Ok("PostgreSQL tells errors in English".to_owned()),
        Some(foreign) => Err(format!("PostgreSQL {foreign}")),
    })
}

/// The replica, by itself. That it has yet to run migrations is the primary's to bring.
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
             that it follows",
            standing.missing.len()
        )),
        Err(error) => Err(format!(
            "it cannot be read: {error:?}; check DATABASE_READ_URL"
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

/// PostgreSQL has to be 14 or later; SQLite comes with the binary. Through a pooler, the server cannot
/// say how long a statement may take.
fn supported(db: &Db, version: String, is_bounded: bool) -> Finding {
    let number = version.split([' ', '.']).nth(1);
    let major: Option<u32> = number.and_then(|number| number.parse().ok());
    match (db.kind(), major) {
        (Kind::Postgres, Some(..14)) => Err(format!("{version}; upgrade it to 14 or later")),
        _ if !is_bounded => Err(format!(
            "{version}, through a pooler, stops no statement; as its role, run: ALTER ROLE CURRENT_USER \
             SET statement_timeout = '15s'"
        )),
        _ => Ok(version),
    }
}

fn migrations(standing: &db::Standing, auto_migrate: bool) -> Finding {
    let (missing, unknown) = (standing.missing.len(), standing.unknown.len());
    match (missing, auto_migrate) {
        _ if unknown > 0 => Err(format!(
            "a newer version has changed the database ({}); run that version",
            standing.unknown.join(", ")
        )),
        (0, _) => Ok("the database is up to date".to_owned()),
        (_, true) => Ok(format!("{missing} are missing; `tenantry serve` runs them")),
        (_, false) => Err(format!("{missing} are missing; run `tenantry migrate`")),
    }
}

/// Asks for a file that there cannot be, which takes an answer and changes nothing.
async fn files(config: &Config) -> Finding {
    let asked = async {
        Store::open(config)?
            .get(ObjectId::from_uuid(Uuid::nil()))
            .await
    };
    let hint = "check TENANTRY_FILES__URL, and for S3 the credentials in AWS_…";
    match (asked.await, &config.files.url) {
        (Ok(_), Some(url)) => Ok(format!("{url} answers")),
        (Ok(_), None) => Ok(format!(
            "kept in {}",
            config.data_dir.join("files").display()
        )),
        (Err(error), _) => Err(format!("{error:#}; {hint}")),
    }
}

async fn mail(config: &Config) -> Finding {
    let hint = "check TENANTRY_MAIL__SMTP_URL and TENANTRY_MAIL__FROM";
    match tenantry::worker::look_for_mail_server(config).await {
        Ok(MailServer::None) => Ok(format!(
            "no server is configured; mails are written to {}",
            config.data_dir.join("mail").display()
        )),
        Ok(MailServer::Answers) => Ok("the server answers".to_owned()),
        Err(error) => Err(format!("{error:#}; {hint}")),
    }
}

/// None of them is called: that would cost.
fn providers(config: &Config) -> Finding {
    if let Err(error) = Providers::new(&config.providers, Metrics::default()) {
        return Err(format!("{error:#}; set it again"));
    }
    let has_key = |provider: &Provider| config.providers.of(*provider).api_key.is_some();
    let names = |has: bool| {
        let named = Provider::ALL.iter().filter(|it| has_key(it) == has);
        named
            .map(|it| it.as_str().to_lowercase())
            .collect::<Vec<_>>()
    };
    let (with, without) = (names(true), names(false));
    Ok(match (with.as_slice(), without.as_slice()) {
        ([], _) => "none has a key, so that no answers can be collected; set \
                    TENANTRY_PROVIDERS__OPENAI__API_KEY or another one"
            .to_owned(),
        (with, []) => format!("a key for each: {}", with.join(", ")),
        (with, without) => format!(
            "a key for {}; none for {}",
            with.join(", "),
            without.join(", ")
        ),
    })
}
