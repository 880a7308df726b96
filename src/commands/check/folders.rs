//! Whether folders can be written, without making them.

use std::io;
use std::path::{Path, PathBuf};

use tenantry::config::Config;
use tenantry::private;
use url::Url;

use super::Finding;

/// Where the server keeps what is its own.
pub fn data_directory(config: &Config) -> Finding {
    look(&config.data_dir).map_err(|problem| {
        format!("{problem}; set TENANTRY_DATA_DIR to a folder that can be written")
    })
}

/// The folder in which uploaded files are kept, where it is one.
pub fn files(config: &Config) -> Option<PathBuf> {
    match &config.files.url {
        None => Some(config.data_dir.join("files")),
        Some(url) => {
            let url = Url::parse(url).ok().filter(|url| url.scheme() == "file")?;
            url.to_file_path().ok()
        }
    }
}

/// Whether the folder can be written, or made.
pub fn look(folder: &Path) -> Finding {
    let shown = folder.display();
    match (folder.exists(), probe(folder)) {
        (true, Ok(())) => Ok(format!("{shown} can be written")),
        (false, Ok(())) => Ok(format!("{shown}, which is made at start")),
        (true, Err(error)) => Err(format!("{shown} cannot be written: {error}")),
        (false, Err(error)) => Err(format!("{shown} cannot be made: {error}")),
    }
}

/// Makes a file and removes it, in the folder or in the nearest above it that is there.
fn probe(folder: &Path) -> io::Result<()> {
    let above = folder.ancestors().find(|above| above.exists());
    let above = above.unwrap_or(Path::new("."));
    let file = above.join(format!(".check.{}", std::process::id()));
    private::create(&file)?;
    std::fs::remove_file(&file)
}
