//! An S3 server in this process, and its bucket.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::error_handling::HandleError;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::Response;
use s3s::HttpError;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::wait::PATIENCE;

pub const BUCKET: &str = "tenantry-files";
pub const ACCESS_KEY: &str = "tenantry-access";
pub const SECRET_KEY: &str = "tenantry-secret";

/// An S3 server that checks signatures and has one empty bucket. Stopped when this is dropped.
pub struct Buckets {
    pub url: String,
    folder: TempDir,
    gate: Arc<Gate>,
    serving: JoinHandle<()>,
}

/// A gate at which responses wait while it is closed. What was requested has been done by then.
#[derive(Default)]
struct Gate {
    is_closed: watch::Sender<bool>,
    reached: Notify,
}

async fn pass(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    gate.reached.notify_one();
    let mut is_closed = gate.is_closed.subscribe();
    let opened = is_closed.wait_for(|is_closed| !is_closed).await;
    drop(opened.expect("there is the gate"));
    response
}

impl Buckets {
    pub async fn start() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        std::fs::create_dir(folder.path().join(BUCKET)).expect("a bucket");
        let files = FileSystem::new(folder.path()).expect("a folder that is there");
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let failed = async |_: HttpError| StatusCode::INTERNAL_SERVER_ERROR;
        let service = HandleError::new(service.build(), failed);
        let gate = Arc::<Gate>::default();
        let router = Router::new()
            .fallback_service(service)
            .layer(middleware::from_fn_with_state(gate.clone(), pass));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let serving = tokio::spawn(async {
            axum::serve(listener, router).await.expect("it serves");
        });
        Self {
            url,
            folder,
            gate,
            serving,
        }
    }

    /// From now on, carries out requests but does not respond to them.
    pub fn fall_silent(&self) {
        self.gate.is_closed.send_replace(true);
    }

    /// Responds from now on, also to the requests carried out in the meantime.
    pub fn speak(&self) {
        self.gate.is_closed.send_replace(false);
    }

    /// Completes when a request has been carried out.
    pub async fn done(&self) {
        let done = self.gate.reached.notified();
        let in_time = tokio::time::timeout(PATIENCE, done).await;
        in_time.expect("something is asked for");
    }

    /// Returns the bytes of every object in the bucket whose key begins with `prefix`.
    pub fn objects(&self, prefix: &str) -> Vec<Vec<u8>> {
        let files = self.files(prefix).into_iter();
        files
            .map(|file| std::fs::read(file).expect("an object"))
            .collect()
    }

    /// Deletes every object in the bucket whose key begins with that.
    pub fn lose(&self, prefix: &str) {
        for file in self.files(prefix) {
            std::fs::remove_file(file).expect("an object");
        }
    }

    fn files(&self, prefix: &str) -> Vec<PathBuf> {
        let folder = self.folder.path().join(BUCKET).join(prefix);
        match folder.exists() {
            true => super::icons::files_in(&folder),
            false => Vec::new(),
        }
    }
}

impl Drop for Buckets {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
