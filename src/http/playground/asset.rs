//! The files of the playground, and the names they are served under.

use std::io;
use std::path::Path;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// A file of the playground.
#[derive(Debug)]
pub struct Asset {
    /// Its name in the page's source.
    file: &'static str,
    /// The name it is served under, which contains a hash of its content.
    served: String,
    /// Its media type.
    pub content_type: &'static str,
    /// Its content.
    pub bytes: Bytes,
}

macro_rules! files {
    ($($folder:literal: $($file:literal)+;)+) => {
        &[$($(($file, include_bytes!(concat!($folder, "/", $file)).as_slice())),+),+]
    };
}

const FILES: &[(&str, &[u8])] = files! {
    "vendor":
        "react-18.3.1.min.js"
        "react-dom-18.3.1.min.js"
        "graphiql-3.9.0.min.js"
        "graphiql-3.9.0.min.css"
        "explorer-3.2.5.min.js"
        "explorer-3.2.5.min.css"
        "LICENSES.txt";
    "page":
        "playground.css"
        "token.js"
        "fetcher.js"
        "console.js"
        "playground.js";
};

/// Returns all files: those in the binary, each replaced by the file of the same name in `dir`, if there
/// is one.
///
/// # Errors
/// If the directory does not exist, or it or a file cannot be read.
pub fn assets(dir: Option<&Path>) -> io::Result<Vec<Asset>> {
    if let Some(dir) = dir {
        dir.read_dir()?;
    }
    let files = FILES.iter().map(|&(file, bytes)| {
        let own = dir.map(|dir| std::fs::read(dir.join(file)));
        let bytes = match own {
            Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Some(Ok(own)) => own.into(),
            Some(Err(_)) | None => Bytes::from_static(bytes),
        };
        let (stem, extension) = file.rsplit_once('.').unwrap_or((file, ""));
        let hash = HEXLOWER.encode(&Sha256::digest(&bytes)[..6]);
        Ok(Asset {
            file,
            served: format!("{stem}-{hash}.{extension}"),
            content_type: match extension {
                "js" => "text/javascript; charset=utf-8",
                "css" => "text/css; charset=utf-8",
                _ => "text/plain; charset=utf-8",
            },
            bytes,
        })
    });
    files.collect()
}

impl Asset {
    /// Whether the file is served under that name.
    pub fn is_named(&self, name: &str) -> bool {
        self.served == name
    }

    /// Returns `page` with its links to the file, `"playground/<file>"`, replaced by the name it is
    /// served under.
    pub fn link(&self, page: &str) -> String {
        page.replace(
            &format!("\"playground/{}\"", self.file),
            &format!("\"playground/{}\"", self.served),
        )
    }
}
