//! Development identities: tokens that the server signs itself while no issuer is configured, with a key
//! kept in the data directory.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::HEXLOWER;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use serde::Serialize;

use crate::config::{Claims, Issuer};
use crate::{private, random};

/// The issuer of development identities.
pub const ISSUER: &str = "tenantry-development";
const AUDIENCE: &str = "tenantry";
const FILE: &str = "development.key";

/// The key that signs development identities. Several instances may share it.
#[derive(Clone)]
pub struct DevelopmentKey([u8; 32]);

/// Why there is no development key. Its text is one line and contains no part of a key.
#[derive(Debug, thiserror::Error)]
pub enum DevelopmentKeyError {
    /// Others could read the key and sign in as anybody.
    #[error("{path} can be read by other users (mode {mode:03o}); run `chmod 600` on it")]
    Exposed {
        /// The key's file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file does not hold 64 hexadecimal digits.
    #[error("{path} holds no development key; remove it to get a new one")]
    Malformed {
        /// The key's file.
        path: PathBuf,
    },
    /// The data directory cannot be read or written.
    #[error("{path}: {cause}")]
    Io {
        /// What was read or written.
        path: PathBuf,
        /// The operating system's error.
        cause: io::Error,
    },
}

#[derive(Serialize)]
struct Payload<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    email: &'a str,
    email_verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    iat: f64,
    exp: i64,
}

/// The configuration of the issuer of development identities.
pub fn issuer() -> Issuer {
    Issuer {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        jwks_url: None,
        jwks_file: None,
        email_domains: None,
        claims: Claims::default(),
        userinfo_url: None,
    }
}

impl DevelopmentKey {
    /// Loads the key from `development.key` in the data directory, creating both if needed. Instances
    /// that start at the same time all get the same key.
    ///
    /// # Errors
    ///
    /// As [`DevelopmentKeyError`] says.
    pub fn load_or_create(data_dir: &Path) -> Result<Self, DevelopmentKeyError> {
        if let Some(key) = Self::load(data_dir)? {
            return Ok(key);
        }
        let path = data_dir.join(FILE);
        let failed = |cause| DevelopmentKeyError::Io {
            path: path.clone(),
            cause,
        };
        create(data_dir, &path).map_err(failed)?;
        // Read back even if just created: another instance may have been first.
        Self::read(File::open(&path).map_err(failed)?, &path)
    }

    /// Loads the key from `development.key` in the data directory, if there is one.
    ///
    /// # Errors
    ///
    /// As [`DevelopmentKeyError`] says.
    pub fn load(data_dir: &Path) -> Result<Option<Self>, DevelopmentKeyError> {
        let path = data_dir.join(FILE);
        match File::open(&path) {
            Ok(file) => Self::read(file, &path).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(DevelopmentKeyError::Io { path, cause }),
        }
    }

    fn read(file: File, path: &Path) -> Result<Self, DevelopmentKeyError> {
        let failed = |cause| DevelopmentKeyError::Io {
            path: path.to_owned(),
            cause,
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                return Err(DevelopmentKeyError::Exposed {
                    path: path.to_owned(),
                    mode,
                });
            }
        }
        let mut text = Vec::new();
        // One byte more than a key and a newline, to detect a longer file.
        file.take(66).read_to_end(&mut text).map_err(failed)?;
        HEXLOWER
            .decode(text.trim_ascii_end())
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| DevelopmentKeyError::Malformed {
                path: path.to_owned(),
            })
    }

    /// Signs a token (HS256) for `email` as a verified address, from `now` for `valid_for`.
    pub fn sign(
        &self,
        email: &str,
        name: Option<&str>,
        now: DateTime<Utc>,
        valid_for: TimeDelta,
    ) -> String {
        let email = email.trim().to_lowercase();
        let payload = Payload {
            iss: ISSUER,
            aud: AUDIENCE,
            sub: &email,
            email: &email,
            email_verified: true,
            name,
            // To the millisecond, so that it can be compared with events of the same second.
            iat: now.timestamp_millis() as f64 / 1000.0,
            exp: now.timestamp().saturating_add(valid_for.num_seconds()),
        };
        let key = EncodingKey::from_secret(&self.0);
        // Text and numbers can be represented in JSON, and HMAC accepts any key and message.
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &payload, &key)
            .expect("a development token can be signed")
    }

    /// The key that verifies what [`sign`](Self::sign) signs.
    pub(super) fn decoding_key(&self) -> DecodingKey {
        DecodingKey::from_secret(&self.0)
    }
}

/// Creates a new key at `path`, unless there is one by then. The file is complete before it gets its
/// name: linking fails if the name is taken, so no key ever replaces another.
fn create(data_dir: &Path, path: &Path) -> io::Result<()> {
    let key: [u8; 32] = random::bytes().map_err(io::Error::other)?;
    let suffix: [u8; 8] = random::bytes().map_err(io::Error::other)?;

    std::fs::create_dir_all(data_dir)?;
    let draft = data_dir.join(format!(".{FILE}.{}", HEXLOWER.encode(&suffix)));
    let mut file = private::create(&draft)?;
    let linked = writeln!(file, "{}", HEXLOWER.encode(&key))
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::hard_link(&draft, path));
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    }
}
