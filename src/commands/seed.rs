//! `tenantry seed`: generating demonstration data.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use chrono::{DateTime, Utc};
use clap::Args;
use tenantry::app::SystemClock;
use tenantry::auth::token::DevelopmentKey;
use tenantry::config::Config;
use tenantry::db::types::Instant;
use tenantry::seed::{self, DEVELOPER_EMAIL, DEVELOPER_NAME, Plan, Progress};
use tenantry::start::{StartError, open_current_app};

use crate::{say, sign, start_error};

/// The size of the data set. The default is small, for looking around.
#[derive(Args)]
pub struct Arguments {
    /// The number of organizations.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    organizations: u32,
    /// The number of workspaces in all. One in nine is deleted.
    #[arg(long, default_value_t = 16)]
    workspaces: u32,
    /// The number of people. The first is developer@example.com.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..))]
    users: u32,
    /// The number of prompts in all. Default: 6 per workspace.
    #[arg(long)]
    prompts: Option<u32>,
    /// The number of answers in all.
    #[arg(long, default_value_t = 3_000)]
    answers: u32,
    /// The seed of the generated data. Another number makes another data set.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// When the four months of history end, as an RFC 3339 timestamp. Default: the beginning of today in
    /// UTC. If given, the same arguments generate the same rows on any day.
    #[arg(long, value_name = "INSTANT")]
    now: Option<DateTime<Utc>>,
}

/// Fills the database, and prints how to sign in.
///
/// # Errors
/// One line for the operator.
pub async fn run(config: Config, arguments: Arguments) -> Result<(), StartError> {
    let plan = plan(&config, &arguments)?;
    let app = open_current_app(config, Arc::new(SystemClock)).await?;
    let begun = Moment::now();
    let mut bar = Bar::new(&plan);
    let seeded = seed::seed(&app.db, &plan, |progress| bar.show(progress)).await;
    bar.clear();
    seeded.map_err(start_error)?;
    say(&format!(
        "Seeded {} organizations, {} workspaces, {} people, {} prompts and {} answers in {:.1} s.",
        plan.organizations,
        plan.workspaces,
        plan.users,
        plan.prompts,
        plan.answers,
        begun.elapsed().as_secs_f64(),
    ))?;
    how_to_sign_in(&app.config, app.public_url().as_str())
}

fn plan(config: &Config, arguments: &Arguments) -> Result<Plan, StartError> {
    let workspaces = u64::from(arguments.workspaces);
    let prompts = arguments.prompts.map_or(6 * workspaces, u64::from);
    let answers = u64::from(arguments.answers);
    if workspaces == 0 && prompts + answers > 0 {
        let message = "prompts and answers belong to workspaces: ask for at least one workspace, \
                       or for --prompts 0 --answers 0";
        return Err(StartError(message.to_owned()));
    }
    let now = arguments
        .now
        .map_or_else(|| Instant::from(Utc::now()).to_day(), Instant::from);
    Ok(Plan {
        organizations: arguments.organizations.into(),
        workspaces,
        users: arguments.users.into(),
        prompts,
        answers,
        seed: arguments.seed,
        now,
        plan_key: config.default_plan.clone(),
        purge_days: config.limits.purge_days,
        invitation_days: config.limits.invitation_days,
    })
}

fn how_to_sign_in(config: &Config, url: &str) -> Result<(), StartError> {
    if !config.auth.development_enabled() {
        return say(
            "The people have development identities, which are switched off: nobody can sign in as \
             one of them.",
        );
    }
    let key = DevelopmentKey::load_or_create(&config.data_dir).map_err(start_error)?;
    let token = sign(&key, DEVELOPER_EMAIL, Some(DEVELOPER_NAME));
    say(&format!(
        "The first person is {DEVELOPER_EMAIL}; the link that `tenantry` prints signs in as them."
    ))?;
    say(&format!(
        "  signed in   {}/#token={token}",
        url.trim_end_matches('/')
    ))?;
    say("  others      tenantry token --email EMAIL --name NAME")
}

/// The progress display: on a terminal a line that is overwritten, elsewhere one line per table.
struct Bar {
    is_terminal: bool,
    /// The number of rows to write, of the tables that are counted.
    total: u64,
    /// The number of rows in counted tables that are complete.
    done: u64,
    shown: Option<Moment>,
    /// Whether rows of the current table were written, not only skipped as already present.
    is_new: bool,
}

/// The width of the bar, in characters.
const WIDTH: u64 = 30;

impl Bar {
    fn new(plan: &Plan) -> Self {
        Self {
            is_terminal: std::io::stderr().is_terminal(),
            total: plan.organizations + plan.workspaces + plan.users + plan.prompts + plan.answers,
            done: 0,
            shown: None,
            is_new: false,
        }
    }

    fn show(&mut self, progress: Progress) {
        let Progress {
            table,
            rows,
            is_done,
        } = progress;
        let counted = ["organizations", "workspaces", "users", "prompts", "answers"];
        let here = if counted.contains(&table) { rows } else { 0 };
        if self.is_terminal {
            let is_due = self
                .shown
                .is_none_or(|shown| shown.elapsed() > Duration::from_millis(100));
            if is_due || is_done {
                let part = (self.done + here).min(self.total);
                let full = (part * WIDTH / self.total.max(1)) as usize;
                let empty = WIDTH as usize - full;
                write(&format!(
                    "\r\x1b[K{}{} {:3} %  {table} {rows}",
                    "█".repeat(full),
                    "░".repeat(empty),
                    part * 100 / self.total.max(1),
                ));
                self.shown = Some(Moment::now());
            }
        } else if is_done && self.is_new {
            write(&format!("{rows:>12}  {table}\n"));
        }
        self.is_new = !is_done;
        if is_done {
            self.done += here;
        }
    }

    fn clear(&self) {
        if self.is_terminal {
            write("\r\x1b[K");
        }
    }
}

/// Writes to standard error, and ignores errors: missing progress does no harm.
fn write(text: &str) {
    let mut stderr = std::io::stderr();
    let _ = stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush());
}
