//! Checks of folders, without creating them.

use std::io;
use std::path::{Path, PathBuf};

use tenantry::config::Config;
use tenantry::private;
use url::Url;

use super::Finding;

/// Checks the data directory.
pub fn data_directory(config: &Config) -> Finding {
    look(&config.data_dir)
        .map_err(|problem| format!("{problem}; set TENANTRY_DATA_DIR to a writable folder"))
}

/// The folder for uploaded files, if they are kept in one.
pub fn files(config: &Config) -> Option<PathBuf> {
    match &config.files.url {
        None => Some(config.data_dir.join("files")),
        Some(url) => {
            let url = Url::parse(url).ok().filter(|url| url.scheme() == "file")?;
            url.to_file_path().ok()
        }
    }
}

/// Checks that the folder can be written to or, if it does not exist, created.
pub fn look(folder: &Path) -> Finding {
    let shown = folder.display();
    match (folder.exists(), probe(folder)) {
        (true, Ok(())) => Ok(format!("{shown} can be written")),
        (false, Ok(())) => Ok(format!("{shown}, which is created at start")),
        (true, Err(error)) => Err(format!("{shown} cannot be written: {error}")),
        (false, Err(error)) => Err(format!("{shown} cannot be created: {error}")),
    }
}

/// Creates and removes a file, in the folder or in its closest existing ancestor.
fn probe(folder: &Path) -> io::Result<()> {
    let above = folder.ancestors().find(|above| above.exists());
    let above = above.unwrap_or(Path::new("."));
    let file = above.join(format!(".check.{}", std::process::id()));
    private::create(&file)?;
    std::fs::remove_file(&file)
}
