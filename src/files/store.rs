//! Where the bytes of files are: a folder, or a bucket of an S3-compatible service.

use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ClientConfigKey, GetOptions, ObjectStore, ObjectStoreExt, RetryConfig};
use url::Url;

use crate::config::Config;
use crate::id::{Id, Kind};
use crate::loopback::is_loopback;

/// How long one call to the store may take, all retries included.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many bytes of an object are read at a time. Most icons are shorter.
const PIECE: u64 = 128 * 1024;

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

/// An object that is being read. At most one piece of it is in memory, and no connection to the store is
/// held between two pieces, however slowly it is consumed.
pub struct Content {
    /// The length of the object, in bytes.
    pub length: u64,
    /// The bytes, of which the first piece has been read already. Ends with an error, and never early,
    /// if the rest cannot be read.
    pub pieces: BoxStream<'static, anyhow::Result<Bytes>>,
}

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

    /// Returns an object, if the store has it.
    ///
    /// # Errors
    /// If the store fails before the end of the first piece.
    pub async fn get(&self, id: ObjectId) -> anyhow::Result<Option<Content>> {
        let key = self.key(id);
        let options = GetOptions {
            range: Some((0..PIECE).into()),
            ..GetOptions::default()
        };
        let begun = async {
            let found = self.objects.get_opts(&key, options).await?;
            Ok((found.meta.size, found.bytes().await?))
        };
        let (length, first) = match patiently(begun).await {
            Ok(begun) => begun,
            Err(error) if is_absence(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let first = whole(first, length.min(PIECE))?;
        let reading = (self.objects.clone(), key, PIECE);
        let rest = stream::try_unfold(reading, move |(objects, key, at)| async move {
            if at >= length {
                return Ok(None);
            }
            let end = length.min(at + PIECE);
            let piece = patiently(objects.get_range(&key, at..end)).await?;
            Ok(Some((whole(piece, end - at)?, (objects, key, end))))
        });
        let pieces = stream::iter([Ok(first)]).chain(rest).boxed();
        Ok(Some(Content { length, pieces }))
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

/// The piece, if it has so many bytes.
fn whole(piece: Bytes, length: u64) -> anyhow::Result<Bytes> {
    ensure!(
        piece.len() as u64 == length,
        "the object has changed while it was read"
    );
    Ok(piece)
}

fn is_absence(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<object_store::Error>();
    matches!(error, Some(object_store::Error::NotFound { .. }))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use chrono::Utc;
    use futures_util::TryStreamExt;
    use tempfile::TempDir;

    use super::*;

    /// A store in a temporary folder, which is deleted with the second value, and an object of that many
    /// bytes in it.
    async fn with_object(length: u64) -> (Store, TempDir, ObjectId, Bytes) {
        let folder = TempDir::new().unwrap();
        let store = Store::folder(folder.path()).unwrap();
        let (id, bytes) = (
            ObjectId::new(Utc::now()),
            (0..length).map(|at| (at / 7) as u8),
        );
        let bytes: Bytes = bytes.collect::<Vec<_>>().into();
        store.put(id, bytes.clone()).await.unwrap();
        (store, folder, id, bytes)
    }

    #[tokio::test]
    async fn an_object_is_read_piece_by_piece() {
        for (length, expected) in [
            (1, 1),
            (PIECE - 1, 1),
            (PIECE, 1),
            (PIECE + 1, 2),
            (3 * PIECE, 3),
        ] {
            let (store, _folder, id, bytes) = with_object(length).await;
            let content = store.get(id).await.unwrap().unwrap();
            assert_eq!(content.length, length);
            let pieces: Vec<_> = content.pieces.try_collect().await.unwrap();
            assert_eq!(pieces.len(), expected);
            assert_eq!(pieces.concat(), bytes);
        }
    }

    #[tokio::test]
    async fn an_object_that_ends_early_is_an_error() {
        let (store, folder, id, _) = with_object(3 * PIECE).await;
        let path = folder.path().join(store.key(id).as_ref());
        for is_there in [true, false] {
            let content = store.get(id).await.unwrap().unwrap();
            match is_there {
                true => fs::File::options()
                    .write(true)
                    .open(&path)
                    .unwrap()
                    .set_len(PIECE + 1)
                    .unwrap(),
                false => fs::remove_file(&path).unwrap(),
            }
            let read: anyhow::Result<Vec<_>> = content.pieces.try_collect().await;
            assert!(read.is_err());
        }
        assert!(store.get(id).await.unwrap().is_none());
    }
}
