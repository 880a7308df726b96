//! The files of the playground, and the names under which they are served.

use std::sync::LazyLock;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// A file in the binary.
pub struct Asset {
    /// As in the page's source.
    file: &'static str,
    /// With a hash of its content, so that another content has another name.
    served: String,
    /// Its media type.
    pub content_type: &'static str,
    /// What it holds.
    pub bytes: &'static [u8],
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

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let assets = FILES.iter().map(|&(file, bytes)| {
        let (stem, extension) = file.rsplit_once('.').unwrap_or((file, ""));
        let hash = HEXLOWER.encode(&Sha256::digest(bytes)[..6]);
        Asset {
            file,
            served: format!("{stem}-{hash}.{extension}"),
            content_type: match extension {
                "js" => "text/javascript; charset=utf-8",
                "css" => "text/css; charset=utf-8",
                _ => "text/plain; charset=utf-8",
            },
            bytes,
        }
    });
    assets.collect()
});

/// The file that is served under `name`.
pub fn named(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.served == name)
}

/// `page` with its links, `"playground/<file>"`, to what the files are served as.
pub fn with_served_names(page: String) -> String {
    ASSETS.iter().fold(page, |page, asset| {
        page.replace(
            &format!("\"playground/{}\"", asset.file),
            &format!("\"playground/{}\"", asset.served),
        )
    })
}
