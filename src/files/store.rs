//! Where the bytes of files are: a folder, or a bucket of an S3-compatible service.

use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use bytes::Bytes;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ClientConfigKey, ObjectStore, ObjectStoreExt, RetryConfig};
use url::Url;

use crate::config::Config;
use crate::id::{Id, Kind};
use crate::loopback::is_loopback;

/// How long one call to the store may take, all retries included.
const PATIENCE: Duration = Duration::from_secs(30);

/// The library's key for `AWS_ALLOW_HTTP`.
const ALLOW_HTTP: AmazonS3ConfigKey = AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp);

/// An object in the store. It has an id of its own, so that no client input becomes part of a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Object {}

impl Kind for Object {
    const PREFIX: &'static str = "object";
}

/// The id of an object in the store.
pub type ObjectId = Id<Object>;

/// Where the bytes of files are. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    /// The prefix of all keys.
    prefix: Path,
    /// The folder, if the store is one.
    folder: Option<PathBuf>,
}

impl Store {
    /// Opens the configured store. A folder is created if missing; a bucket is not contacted yet.
    ///
    /// # Errors
    /// One line for the operator.
    pub fn open(config: &Config) -> anyhow::Result<Self> {
        let Some(url) = &config.files.url else {
            return Self::folder(&config.data_dir.join("files"));
        };
        let url = Url::parse(url).context("files.url")?;
        match url.scheme() {
            "file" => {
                let folder = url.to_file_path();
                Self::folder(&folder.map_err(|()| anyhow!("files.url does not name a folder"))?)
            }
            _ => Self::bucket(&url),
        }
    }

    fn folder(folder: &FsPath) -> anyhow::Result<Self> {
        let shown = folder.display();
        std::fs::create_dir_all(folder)
            .with_context(|| format!("the folder for files {shown} cannot be created"))?;
        // Acknowledged writes must survive a crash of the machine.
        let objects = LocalFileSystem::new_with_prefix(folder)
            .with_context(|| format!("the folder for files {shown} cannot be used"))?
            .with_fsync(true);
        Ok(Self {
            objects: Arc::new(objects),
            prefix: Path::default(),
            folder: Some(folder.to_owned()),
        })
    }

    fn bucket(url: &Url) -> anyhow::Result<Self> {
        let bucket = url
            .host_str()
            .ok_or_else(|| anyhow!("files.url does not name a bucket"))?;
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .with_retry(RetryConfig {
                max_retries: 3,
                retry_timeout: PATIENCE,
                ..RetryConfig::default()
            });
        let endpoint = builder.get_config_value(&AmazonS3ConfigKey::Endpoint);
        if let Some(endpoint) = endpoint.filter(|endpoint| endpoint.starts_with("http:")) {
            let allowed = builder.get_config_value(&ALLOW_HTTP);
            let is_here = Url::parse(&endpoint).is_ok_and(|url| is_loopback(&url));
            if !is_here && allowed.as_deref() != Some("true") {
                return Err(anyhow!(
                    "AWS_ENDPOINT_URL is plain http to another machine; use https, or set AWS_ALLOW_HTTP=true"
                ));
            }
            builder = builder.with_allow_http(true);
        }
        let objects = builder
            .build()
            .context("files.url: the bucket cannot be used")?;
        Ok(Self {
            objects: Arc::new(objects),
            prefix: Path::from_url_path(url.path()).context("files.url")?,
            folder: None,
        })
    }

    /// Stores an object under an id that was not used before.
    ///
    /// # Errors
    /// If the store fails; the object may be stored nevertheless.
    pub async fn put(&self, id: ObjectId, bytes: Bytes) -> anyhow::Result<()> {
        let (key, payload) = (self.key(id), bytes.into());
        patiently(self.objects.put(&key, payload)).await?;
        Ok(())
    }

    /// Returns an object's bytes, if the store has it.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn get(&self, id: ObjectId) -> anyhow::Result<Option<Bytes>> {
        let key = self.key(id);
        let got = async { self.objects.get(&key).await?.bytes().await };
        match patiently(got).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Deletes an object. One that does not exist counts as deleted.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn delete(&self, id: ObjectId) -> anyhow::Result<()> {
        let key = self.key(id);
        if let Some(folder) = &self.folder {
            // The library writes a file under this name until it is complete. It remains if the process
            // is killed in the meantime, and no listing shows it.
            let unfinished = folder.join(format!("{key}#1"));
            match tokio::fs::remove_file(&unfinished).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).context("an unfinished file cannot be deleted");
                }
                _ => {}
            }
        }
        match patiently(self.objects.delete(&key)).await {
            Err(error) if !is_absence(&error) => Err(error),
            _ => Ok(()),
        }
    }

    fn key(&self, id: ObjectId) -> Path {
        self.prefix
            .clone()
            .join("icons")
            .join(id.uuid().to_string())
    }
}

async fn patiently<T>(call: impl Future<Output = object_store::Result<T>>) -> anyhow::Result<T> {
    let outcome = tokio::time::timeout(PATIENCE, call).await;
    Ok(outcome.context("the file store took too long")??)
}

fn is_absence(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<object_store::Error>();
    matches!(error, Some(object_store::Error::NotFound { .. }))
}
