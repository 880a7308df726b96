//! `tenantry check`: checks what a server needs, and prints a line for each, with what to do if there is
//! a problem. It changes nothing.

mod database;
mod folders;
mod listeners;
mod sign_in;

use std::path::{Path, PathBuf};

use tenantry::auth::token::http_client;
use tenantry::config::{Config, environment};
use tenantry::files::{ObjectId, Store};
use tenantry::http::{Documents, Playground};
use tenantry::metrics::Metrics;
use tenantry::models::provider::Provider;
use tenantry::providers::Providers;
use tenantry::start::StartError;
use tenantry::worker::MailServer;
use uuid::Uuid;

use crate::say;

/// The result of a check: its state, or the problem and what to do about it.
type Finding = Result<String, String>;

/// The subject of a check, and its result.
type Line = (&'static str, Finding);

/// Runs all checks and prints their results.
///
/// # Errors
/// One line with the number of problems, if there are any.
pub fn run(file: Option<PathBuf>) -> Result<(), StartError> {
    let config = match Config::load(file.as_deref(), environment()) {
        Ok(config) => config,
        Err(error) => {
            print("configuration", &Err(error.to_string()))?;
            return Err(StartError(problems(1)));
        }
    };
    let runtime = tokio::runtime::Runtime::new().map_err(crate::start_error)?;
    let findings = runtime.block_on(look(&config, file.as_deref()))?;
    for (subject, finding) in &findings {
        print(subject, finding)?;
    }
    match findings.iter().filter(|(_, it)| it.is_err()).count() {
        0 => Ok(()),
        count => Err(StartError(problems(count))),
    }
}

/// Runs all checks that apply, in the order of printing.
async fn look(config: &Config, file: Option<&Path>) -> Result<Vec<Line>, StartError> {
    let http = http_client().map_err(crate::start_error)?;
    let mut findings = vec![
        ("configuration", configuration(file)),
        ("address", listeners::requests(config, &http).await),
    ];
    if let Some(finding) = listeners::metrics(config, &http).await {
        findings.push(("metrics", finding));
    }
    if let Some(finding) = documents(config) {
        findings.push(("documents", finding));
    }
    if let Some(finding) = playground(config) {
        findings.push(("playground", finding));
    }
    findings.push(("sign-in", sign_in::sign_in(config)));
    let issuers = sign_in::issuers(config, &http).await;
    findings.extend(issuers.into_iter().map(|finding| ("issuer", finding)));
    findings.push(("data directory", folders::data_directory(config)));
    findings.extend(database::databases(config).await);
    findings.extend([
        ("files", files(config).await),
        ("mail", mail(config).await),
        ("providers", providers(config)),
    ]);
    Ok(findings)
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
        Some(file) => format!("{} and the environment", file.display()),
        None => "the defaults and the environment".to_owned(),
    })
}

/// Checks the folder of trusted documents, if one is configured.
fn documents(config: &Config) -> Option<Finding> {
    let folder = config.graphql.trusted_documents.as_deref()?;
    Some(match Documents::load(Some(folder)) {
        Ok(documents) => Ok(format!(
            "{} in {}; no others are executed",
            documents.trusted().unwrap_or_default(),
            folder.display()
        )),
        Err(StartError(problem)) => Err(problem),
    })
}

/// Checks the folder of the operator's own playground files, if one is configured.
fn playground(config: &Config) -> Option<Finding> {
    let folder = config.playground.assets_dir.as_deref();
    let folder = folder.filter(|_| config.playground.enabled)?;
    Some(match Playground::open(&config.playground) {
        Ok(_) => Ok(format!(
            "custom files from {} take precedence",
            folder.display()
        )),
        Err(StartError(problem)) => Err(problem),
    })
}

/// Checks the store of uploaded files. A bucket is asked for a file that cannot exist, which requires an
/// answer and changes nothing.
async fn files(config: &Config) -> Finding {
    if let Some(folder) = folders::files(config) {
        return folders::look(&folder)
            .map_err(|problem| format!("{problem}; check TENANTRY_FILES__URL"));
    }
    let asked = async {
        Store::open(config)?
            .get(ObjectId::from_uuid(Uuid::nil()))
            .await
    };
    let url = config.files.url.as_deref().unwrap_or_default();
    match asked.await {
        Ok(_) => Ok(format!("{url} answers")),
        Err(error) => Err(format!(
            "{}; check TENANTRY_FILES__URL, and the credentials in AWS_…",
            told_once(&error)
        )),
    }
}

/// Joins an error with its causes, leaving out what an earlier message already contains, as some
/// libraries repeat their causes.
fn told_once(error: &anyhow::Error) -> String {
    let causes = error.chain().map(ToString::to_string);
    let told = causes.fold(String::new(), |told, cause| {
        if told.contains(&cause) {
            told
        } else if told.is_empty() {
            cause
        } else {
            format!("{told}: {cause}")
        }
    });
    told.split_whitespace().collect::<Vec<_>>().join(" ")
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

/// Checks the providers' configuration. No provider is called: that would cost money.
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
        ([], _) => "none has a key, so no answers can be collected; set \
                    TENANTRY_PROVIDERS__OPENAI__API_KEY or the key of another"
            .to_owned(),
        (with, []) => format!("a key for each: {}", with.join(", ")),
        (with, without) => format!(
            "a key for {}; none for {}",
            with.join(", "),
            without.join(", ")
        ),
    })
}
