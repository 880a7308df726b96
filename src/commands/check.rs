//! `tenantry check`: whether what a server needs is there, one line for each, with what to do where
//! it is not. It changes nothing.

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

/// What was found: how it is, or what is wrong and what to do about it.
type Finding = Result<String, String>;

/// What was looked at, and what was found.
type Line = (&'static str, Finding);

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
    let findings = runtime.block_on(look(&config, file.as_deref()))?;
    for (subject, finding) in &findings {
        print(subject, finding)?;
    }
    match findings.iter().filter(|(_, it)| it.is_err()).count() {
        0 => Ok(()),
        count => Err(StartError(problems(count))),
    }
}

/// Everything that is looked at, in the order in which it is printed.
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
        Some(file) => format!("{}, and the environment", file.display()),
        None => "the defaults, and the environment".to_owned(),
    })
}

/// The documents that alone are answered, where there are to be any.
fn documents(config: &Config) -> Option<Finding> {
    let folder = config.graphql.trusted_documents.as_deref()?;
    Some(match Documents::load(Some(folder)) {
        Ok(documents) => Ok(format!(
            "{} in {}, and no others are answered",
            documents.trusted().unwrap_or_default(),
            folder.display()
        )),
        Err(StartError(problem)) => Err(problem),
    })
}

/// The operator's own files of the playground, where there are to be any.
fn playground(config: &Config) -> Option<Finding> {
    let folder = config.playground.assets_dir.as_deref();
    let folder = folder.filter(|_| config.playground.enabled)?;
    Some(match Playground::open(&config.playground) {
        Ok(_) => Ok(format!("its own files first, from {}", folder.display())),
        Err(StartError(problem)) => Err(problem),
    })
}

/// Of a bucket, asks for a file that there cannot be, which takes an answer and changes nothing.
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

/// An error with its causes, of which some libraries tell each in the words of the next.
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
