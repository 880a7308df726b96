//! `tenantry backup`: copying the SQLite database while it is in use.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use tenantry::config::Config;
use tenantry::db;
use tenantry::private;
use tenantry::start::{StartError, reach};

use crate::{say, start_error};

/// Writes a copy of the database into `file`.
///
/// # Errors
/// One line for the operator.
pub async fn run(config: Config, file: &Path) -> Result<(), StartError> {
    let Some(database) = config.database_options().sqlite_path() else {
        let message = "the database is PostgreSQL; back it up with pg_dump";
        return Err(StartError(message.to_owned()));
    };
    let place = database.display();
    if !database.exists() {
        return Err(StartError(format!("there is no database at {place} yet")));
    }
    let db = reach(&config).await?;
    // The name is taken first, so that nothing is overwritten. The file is then either empty or
    // complete.
    private::create(file).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => StartError(format!(
            "{} already exists; name a new file",
            file.display()
        )),
        _ => StartError(format!("{} cannot be created: {error}", file.display())),
    })?;
    let draft = draft_of(file);
    let copied = copy(&db, &draft, file).await;
    if copied.is_err() {
        // An incomplete copy is useless. The first error says more than errors from here could.
        let _ = std::fs::remove_file(&draft);
        let _ = std::fs::remove_file(file);
    }
    copied?;
    let size = std::fs::metadata(file).map_err(start_error)?.len();
    say(&format!(
        "Wrote {} ({size} bytes). To restore it, stop the server, replace {place} with it, and \
         remove the -wal and -shm files beside that.",
        file.display()
    ))
}

async fn copy(db: &db::Db, draft: &Path, file: &Path) -> Result<(), StartError> {
    let failed = |error: &dyn std::fmt::Display| {
        StartError(format!("the database cannot be copied: {error}"))
    };
    private::create(draft).map_err(|error| failed(&error))?;
    db::backup(db, draft)
        .await
        .map_err(|error| failed(&error.details()))?;
    let keep = || {
        File::open(draft)?.sync_all()?;
        std::fs::rename(draft, file)?;
        let folder = file.parent().filter(|it| !it.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    };
    keep().map_err(|error| failed(&error))
}

/// The path of the incomplete copy: in the same folder, so that it can be renamed.
fn draft_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    name.into()
}
