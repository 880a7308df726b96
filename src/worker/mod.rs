//! Background jobs. Every instance may run a worker; workers share the work through the database.

mod files;
mod mail;
mod mailer;
mod outage;
mod purge;
mod retention;
mod runs;
mod schedules;
mod shift;

use tokio::sync::watch;

pub use self::mailer::MailServer;
use self::mailer::Mailer;
use self::shift::Shift;
use crate::app::App;
use crate::config::Config;
use crate::providers::Providers;

/// The background jobs of one instance.
pub struct Worker {
    app: App,
    mailer: Mailer,
    providers: Providers,
}

impl Worker {
    /// Prepares the jobs.
    ///
    /// # Errors
    /// If the configuration of the mail server or the providers is invalid. Neither is contacted.
    pub fn new(app: App) -> anyhow::Result<Self> {
        let mailer = Mailer::new(&app.config)?;
        let providers = Providers::new(&app.config.providers, app.metrics.clone())?;
        Ok(Self {
            app,
            mailer,
            providers,
        })
    }

    /// Works until `stop` completes, then finishes what it has begun. Looks for work immediately
    /// whenever [`App::wake_worker`] is called.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self {
            app,
            mailer,
            providers,
        } = &self;
        let (stopping, stopped) = watch::channel(false);
        let shift = Shift::new(app, stopped);
        tokio::join!(
            async {
                stop.await;
                stopping.send_replace(true);
            },
            shift.clone().repeat("mail", || mail::deliver(app, mailer)),
            shift
                .clone()
                .repeat("schedules", || schedules::run_due(app)),
            shift
                .clone()
                .repeat_gently("retention", || retention::forget(app)),
            shift.clone().repeat_gently("purge", || purge::purge(app)),
            shift.clone().repeat("files", || files::sweep(app)),
            runs::work_off(app, providers, shift),
        );
    }
}

/// Checks that the configured mail server can be used, without sending anything.
///
/// # Errors
/// If the configuration of the mail server is invalid, or the server cannot be reached or rejects the
/// credentials.
pub async fn look_for_mail_server(config: &Config) -> anyhow::Result<MailServer> {
    Mailer::new(config)?.look().await
}
