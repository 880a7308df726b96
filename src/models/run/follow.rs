//! Following a run.

use tokio::time::sleep;

use super::{Run, RunStatus, readable, visible};
use crate::app::App;
use crate::auth::Viewer;
use crate::db::{Listener, Topic};
use crate::error::{Error, Result};
use crate::id::{RunId, UserId};

/// A run as it is now, and again each time it changes. A slow consumer skips intermediate states.
pub struct Follow {
    app: App,
    viewer: UserId,
    id: RunId,
    listener: Listener,
    first: Option<Run>,
    /// The progress that was delivered last.
    shown: Progress,
    is_over: bool,
}

/// What can change about a run for those who see it.
type Progress = (RunStatus, i32, i32);

impl Follow {
    /// Follows a run of a workspace that the viewer may see.
    ///
    /// # Errors
    /// `NOT_FOUND` if they may not see such a run.
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

    /// Waits until the run differs from what was delivered last, and returns it. Returns `None` if the
    /// last delivery was its end, or the viewer may not see it any more.
    ///
    /// While the database cannot be reached, it keeps trying.
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
        // Whoever deletes the workspace still sees that this has cancelled the run.
        Ok(readable(&mut conn, self.viewer, &[self.id]).await?.pop())
    }
}

fn progress(run: &Run) -> Progress {
    (run.status, run.completed, run.failed)
}
