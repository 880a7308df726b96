//! Persisted documents: requested by their hash instead of being sent each time.
//!
//! Either the server remembers what clients sent ("automatic persisted queries"), or the operator names
//! a folder of trusted documents, and no others are executed.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use moka::sync::Cache;
use sha2::{Digest, Sha256};

use super::refusal::Refusal;
use crate::error::ErrorCode;
use crate::start::StartError;

/// How many bytes of documents are remembered.
const MOST_REMEMBERED: u64 = 16 * 1024 * 1024;
/// The approximate overhead of remembering a document, in bytes, besides its text.
const OVERHEAD: usize = 256;

/// The SHA-256 of a document's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DocumentHash([u8; 32]);

impl DocumentHash {
    /// Returns the hash of a text.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// Parses a hash of 64 hexadecimal digits in either case.
    pub fn parse(digits: &str) -> Option<Self> {
        let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }
}

/// The document that a request asks for.
#[derive(Debug)]
pub enum Asked {
    /// The text in the request.
    Text(String),
    /// The document with this hash.
    Hash(DocumentHash),
    /// The text in the request, to be remembered under this hash.
    Both(String, DocumentHash),
}

/// A document that was found, but not yet checked.
pub struct Found {
    text: Arc<str>,
    /// The hash to remember it under, if it turns out to be executable.
    hash: Option<DocumentHash>,
}

impl Found {
    /// Its text.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }
}

/// The documents known by their hash.
pub struct Documents {
    /// If present, no other documents are executed.
    trusted: Option<HashMap<DocumentHash, Arc<str>>>,
    remembered: Cache<DocumentHash, Arc<str>>,
}

impl Documents {
    /// Loads the trusted documents of the folder, whose files are named by the SHA-256 of their content.
    /// Without a folder, documents are remembered as clients send them.
    ///
    /// # Errors
    /// One line for the operator: the folder or a file cannot be read, or a file has the wrong name.
    pub fn load(folder: Option<&Path>) -> Result<Self, StartError> {
        let weigh = |_: &DocumentHash, text: &Arc<str>| {
            u32::try_from(text.len() + OVERHEAD).unwrap_or(u32::MAX)
        };
        let remembered = Cache::builder().max_capacity(MOST_REMEMBERED);
        Ok(Self {
            trusted: folder.map(read).transpose()?,
            remembered: remembered.weigher(weigh).build(),
        })
    }

    /// The number of trusted documents, if only these are executed.
    pub fn trusted(&self) -> Option<usize> {
        self.trusted.as_ref().map(HashMap::len)
    }

    /// Finds the document that is asked for.
    ///
    /// # Errors
    /// There is none with that hash, the text has another hash, or it is not a trusted document.
    pub fn find(&self, asked: Asked) -> Result<Found, Refusal> {
        if let Asked::Both(text, hash) = &asked
            && DocumentHash::of(text) != *hash
        {
            let message = "The hash does not match the document.";
            return Err(Refusal::new(ErrorCode::InvalidInput, message));
        }
        let text = match (&self.trusted, asked) {
            (Some(trusted), Asked::Hash(hash)) => trusted.get(&hash).cloned(),
            (Some(trusted), Asked::Text(text) | Asked::Both(text, _)) => {
                let known = trusted.get(&DocumentHash::of(&text)).cloned();
                Some(known.ok_or_else(|| {
                    let message = "Only trusted documents are executed here.";
                    Refusal::new(ErrorCode::PersistedQueryNotFound, message)
                })?)
            }
            (None, Asked::Hash(hash)) => self.remembered.get(&hash),
            (None, Asked::Text(text)) => Some(text.into()),
            (None, Asked::Both(text, hash)) => {
                return Ok(Found {
                    text: text.into(),
                    hash: Some(hash),
                });
            }
        };
        // Clients recognize this message, and then send the document.
        let message = "PersistedQueryNotFound";
        let unknown = || Refusal::new(ErrorCode::PersistedQueryNotFound, message);
        let text = text.ok_or_else(unknown)?;
        Ok(Found { text, hash: None })
    }

    /// Remembers a document that was sent with its hash, once it is known to be executable.
    pub fn remember(&self, found: Found) {
        if let Found {
            text,
            hash: Some(hash),
        } = found
        {
            self.remembered.insert(hash, text);
        }
    }
}

fn read(folder: &Path) -> Result<HashMap<DocumentHash, Arc<str>>, StartError> {
    let unreadable = |path: &Path, error: std::io::Error| {
        let path = path.display();
        StartError(format!(
            "graphql.trusted_documents: cannot read {path}: {error}"
        ))
    };
    let mut documents = HashMap::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        if path
            .extension()
            .is_none_or(|extension| extension != "graphql")
        {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
        let hash = DocumentHash::of(&text);
        let name = HEXLOWER.encode(&hash.0);
        if path.file_stem().is_none_or(|stem| stem != name.as_str()) {
            return Err(StartError(format!(
                "graphql.trusted_documents: {} must be named {name}.graphql, by the SHA-256 of its content",
                path.display()
            )));
        }
        documents.insert(hash, text.into());
    }
    let count = documents.len();
    tracing::info!(count, "only trusted documents are executed");
    Ok(documents)
}
