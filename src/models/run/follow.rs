//! Following a run.

use tokio::time::sleep;

use super::{Run, RunStatus, readable, visible};
use crate::app::App;
use crate::auth::Viewer;
use crate::db::{Listener, Topic};
use crate::error::{Error, Result};
use crate::id::{RunId, UserId};

/// A run as it is now, then again each time it changed. Whoever takes it slowly gets what it is by
/// then.
pub struct Follow {
    app: App,
    viewer: UserId,
    id: RunId,
    listener: Listener,
    first: Option<Run>,
    /// What was delivered last.
    shown: Progress,
    is_over: bool,
}

/// What of a run can change for those who see it.
type Progress = (RunStatus, i32, i32);

impl Follow {
    /// Follows a run of a workspace that the viewer may see.
    ///
    /// # Errors
    /// `NOT_FOUND` where they see no such run.
    pub async fn open(app: &App, viewer: &Viewer, id: RunId) -> Result<Self> {
        let listener = app.db.listen(Topic::Run(id));
        let mut conn = app.db.read().await?;
        let run = visible(&mut conn, viewer.id(), &[id]).await?.pop();
        let run = run.ok_or_else(Error::not_found)?;
        Ok(Self {
            app: app.clone(),
            viewer: viewer.id(),
            id,
            listener,
            shown: progress(&run),
            is_over: false,
            first: Some(run),
        })
    }

    /// The run, once it differs from what was delivered last. `None` when that was its end, or the
    /// viewer does not see it any more.
    ///
    /// A database that cannot be reached is waited for.
    pub async fn next(&mut self) -> Option<Run> {
        if let Some(run) = self.first.take() {
            return Some(self.deliver(run));
        }
        while !self.is_over {
            match self.look().await {
                Ok(Some(run)) if progress(&run) != self.shown => return Some(self.deliver(run)),
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(error = error.details(), "a run could not be read");
                    sleep(self.app.pace.look).await;
                    continue;
                }
            }
            tokio::select! {
                () = self.listener.changed() => {}
                () = sleep(self.app.pace.look) => {}
            }
        }
        None
    }

    fn deliver(&mut self, run: Run) -> Run {
        self.shown = progress(&run);
        self.is_over = run.finished_at.is_some();
        run
    }

    async fn look(&self) -> Result<Option<Run>> {
        let mut conn = self.app.db.read().await?;
        // Whoever deletes its workspace sees that this has cancelled it.
        Ok(readable(&mut conn, self.viewer, &[self.id]).await?.pop())
    }
}

fn progress(run: &Run) -> Progress {
    (run.status, run.completed, run.failed)
}
