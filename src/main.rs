//! The command line.

mod commands;

use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use clap::{Args, Parser, Subcommand};
use tenantry::app::SystemClock;
use tenantry::auth::token::DevelopmentKey;
use tenantry::config::{Config, environment};
use tenantry::http::{MetricsListener, Server};
use tenantry::models::organization;
use tenantry::models::values::email::Email;
use tenantry::seed::{DEVELOPER_EMAIL, DEVELOPER_NAME};
use tenantry::start::{StartError, migrate_database, open, open_app, open_current_app};
use tenantry::telemetry::Telemetry;
use tenantry::worker::Worker;
use tokio::sync::oneshot;

/// Requests make many small allocations, at which mimalloc is faster than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The workspace backend of a multi-tenant product behind one GraphQL API.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// The configuration file. Default: `tenantry.toml` in the working directory.
    #[arg(long, global = true, env = "TENANTRY_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API and run the worker. This is the default command.
    Serve(Serve),
    /// Bring the database schema up to date.
    Migrate,
    /// Print a development token. Refused if an issuer is configured.
    Token {
        /// The email address of the person to sign in.
        #[arg(long)]
        email: String,
        /// The name of the person.
        #[arg(long)]
        name: Option<String>,
    },
    /// Print the GraphQL schema as SDL.
    Schema,
    /// Check what a server needs: the configuration, the database, the mail server, and so on. Changes
    /// nothing, and fails if there is a problem.
    Check,
    /// Fill an empty database with demonstration data. The same arguments generate the same data; repeat
    /// them to resume an interrupted seeding.
    Seed(commands::seed::Arguments),
    /// Copy the SQLite database to a file, even while servers use it.
    Backup {
        /// The file to create. An existing file is not overwritten.
        file: PathBuf,
    },
    /// Manage an organization as the operator.
    #[command(subcommand)]
    Organization(OrganizationCommand),
}

#[derive(Subcommand)]
enum OrganizationCommand {
    /// Put an organization on a plan.
    SetPlan {
        /// The organization's slug.
        slug: String,
        /// The key of a configured plan.
        key: String,
    },
}

/// What part of the server runs in this process. Instances that share a database share the work.
#[derive(Args, Default)]
struct Serve {
    /// Run only the worker, without serving the API.
    #[arg(long, conflicts_with = "no_worker")]
    worker_only: bool,
    /// Serve only the API, and leave the worker's jobs to other instances.
    #[arg(long)]
    no_worker: bool,
}

/// How many days a development token is valid.
const TOKEN_DAYS: i64 = 30;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command.unwrap_or(Command::Serve(Serve::default())) {
        Command::Schema => {
            let schema = tenantry::graphql::schema(true);
            say(tenantry::graphql::sdl(&schema).trim_end())
        }
        Command::Check => commands::check::run(cli.config),
        command => run(cli.config, command),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(StartError(message)) => {
            eprintln!("tenantry: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(file: Option<PathBuf>, command: Command) -> Result<(), StartError> {
    let config = Config::load(file.as_deref(), environment()).map_err(start_error)?;
    let runtime = tokio::runtime::Runtime::new().map_err(start_error)?;
    let telemetry = match command {
        Command::Serve(_) => Telemetry::start(&config, runtime.handle()),
        _ => Telemetry::log(&config),
    };
    let telemetry = telemetry.map_err(|error| StartError(format!("{error:#}")))?;
    let outcome = runtime.block_on(async {
        match command {
            Command::Serve(Serve { worker_only, .. }) if worker_only => work(config).await,
            Command::Serve(Serve { no_worker, .. }) => serve(config, !no_worker).await,
            Command::Migrate => migrate(config).await,
            Command::Token { email, name } => token(&config, &email, name.as_deref()),
            Command::Organization(OrganizationCommand::SetPlan { slug, key }) => {
                set_plan(config, &slug, &key).await
            }
            Command::Seed(arguments) => commands::seed::run(config, arguments).await,
            Command::Backup { file } => commands::backup::run(config, &file).await,
            Command::Schema | Command::Check => Ok(()),
        }
    });
    telemetry.stop();
    outcome
}

async fn serve(config: Config, with_worker: bool) -> Result<(), StartError> {
    let server = Server::start(config, Arc::new(SystemClock)).await?;
    let worker = match with_worker {
        true => Some(Worker::new(server.app().clone()).map_err(worker_error)?),
        false => None,
    };
    let asked = stopped();
    let url = server.url()?;
    say(&format!(
        "Tenantry is listening on http://{}",
        server.address()?
    ))?;
    say(&format!(
        "  database    {}",
        server.app().config.database_options().name()
    ))?;
    if server.app().config.playground.enabled {
        say(&format!("  playground  {url}/"))?;
        if let Some(key) = server.development_key() {
            let token = sign(key, DEVELOPER_EMAIL, Some(DEVELOPER_NAME));
            say(&format!("  signed in   {url}/#token={token}"))?;
        }
    }
    let (stop, stopping) = oneshot::channel::<()>();
    // The worker ends after the last request, whose mail it may still have to send.
    let mut working = tokio::spawn(async move {
        let stopping = async {
            // A dropped sender means the same as a message.
            let _ = stopping.await;
        };
        match worker {
            Some(worker) => worker.run(stopping).await,
            None => stopping.await,
        }
    });
    let mut broken = None;
    let asked_or_broken = async {
        tokio::select! {
            () = asked => {}
            ended = &mut working => broken = Some(ended),
        }
    };
    // A second signal skips waiting for the load balancer. Signals reach all listeners: this one is
    // created only after the first signal.
    let asked_again = async { stopped().await };
    server.run_until(asked_or_broken, asked_again).await;
    drop(stop);
    // If the server went on without a worker, schedules, runs and mail would stall unnoticed.
    if let Some(ended) = broken {
        let why = ended.map_or_else(|error| error.to_string(), |()| "it returned".to_owned());
        return Err(StartError(format!(
            "the worker stopped unexpectedly: {why}"
        )));
    }
    working.await.map_err(start_error)?;
    tracing::info!("stopped");
    Ok(())
}

async fn work(config: Config) -> Result<(), StartError> {
    let metrics = MetricsListener::bind(&config).await?;
    let app = open_app(config, Arc::new(SystemClock)).await?;
    let _metrics = metrics.map(|metrics| metrics.answer(app.clone()));
    let worker = Worker::new(app.clone()).map_err(worker_error)?;
    let asked = stopped();
    say("Tenantry is running its worker only")?;
    say(&format!(
        "  database    {}",
        app.config.database_options().name()
    ))?;
    worker.run(asked).await;
    tracing::info!("stopped");
    Ok(())
}

fn worker_error(error: anyhow::Error) -> StartError {
    StartError(format!("{error:#}"))
}

async fn migrate(config: Config) -> Result<(), StartError> {
    let db = open(&config).await?;
    let ran = migrate_database(&db).await?;
    let name = config.database_options().name();
    match ran.as_slice() {
        [] => say(&format!("The database ({name}) is up to date.")),
        ran => say(&format!(
            "Brought the database ({name}) up to date: {}.",
            ran.join(", ")
        )),
    }
}

async fn set_plan(config: Config, slug: &str, key: &str) -> Result<(), StartError> {
    if !config.plans.contains_key(key) {
        let known: Vec<_> = config.plans.keys().map(String::as_str).collect();
        return Err(StartError(format!(
            "no plan {key} is configured; the plans are: {}",
            known.join(", ")
        )));
    }
    let app = open_current_app(config, Arc::new(SystemClock)).await?;
    match organization::set_plan(&app, slug, key).await {
        Ok(true) => say(&format!("{slug} is on the plan {key}.")),
        Ok(false) => Err(StartError(format!(
            "there is no organization with the slug {slug}"
        ))),
        Err(error) => Err(StartError(error.details())),
    }
}

fn token(config: &Config, email: &str, name: Option<&str>) -> Result<(), StartError> {
    if !config.auth.issuers.is_empty() {
        let message = "development tokens are disabled because an issuer is configured";
        return Err(StartError(message.to_owned()));
    }
    if !config.auth.development_enabled() {
        let message = "development tokens are disabled; set auth.development = true";
        return Err(StartError(message.to_owned()));
    }
    let email = Email::parse(email).map_err(|invalid| StartError(format!("--email {invalid}")))?;
    std::fs::create_dir_all(&config.data_dir).map_err(start_error)?;
    let key = DevelopmentKey::load_or_create(&config.data_dir).map_err(start_error)?;
    say(&sign(&key, email.as_str(), name))
}

fn sign(key: &DevelopmentKey, email: &str, name: Option<&str>) -> String {
    key.sign(email, name, Utc::now(), TimeDelta::days(TOKEN_DAYS))
}

/// Prints a line. A broken pipe is not an error: the reader, such as `head`, has what it wanted.
fn say(line: &str) -> Result<(), StartError> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(start_error(error)),
        _ => Ok(()),
    }
}

/// Completes when the process is asked to stop, and logs that. Listens from this call on, not from the
/// first poll.
fn stopped() -> impl Future<Output = ()> {
    let asked = asked_to_stop();
    async {
        asked.await;
        tracing::info!("stopping on request");
    }
}

#[cfg(unix)]
fn asked_to_stop() -> impl Future<Output = ()> {
    use tokio::signal::unix::{Signal, SignalKind, signal};

    async fn comes(listening: std::io::Result<Signal>) {
        match listening {
            Ok(mut signal) => {
                signal.recv().await;
            }
            // Without a handler, the signal ends the process by itself.
            Err(_) => std::future::pending().await,
        }
    }
    let interrupt = comes(signal(SignalKind::interrupt()));
    let terminate = comes(signal(SignalKind::terminate()));
    async {
        tokio::select! {
            () = interrupt => {}
            () = terminate => {}
        }
    }
}

#[cfg(not(unix))]
async fn asked_to_stop() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn start_error(error: impl std::fmt::Display) -> StartError {
    StartError(error.to_string())
}
