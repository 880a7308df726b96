//! Copying the SQLite database while it is in use.

use std::path::Path;

use anyhow::Context as _;
use diesel::sql_types::Text;

use super::pool::Db;
use crate::error::Result;

/// Writes a consistent copy of the database into `file`, which must exist and be empty. Servers on the
/// same database go on reading and writing meanwhile: the copy shows the moment at which it began.
///
/// # Errors
/// If the database is not SQLite, or the copy cannot be written.
pub async fn backup(db: &Db, file: &Path) -> Result<()> {
    let path = file.to_str().context("the path of the copy is not UTF-8")?;
    let path = path.to_owned();
    // Only reads the database, but a read-only connection could not write the copy.
    let mut conn = db.write().await?;
    conn.on_sqlite(move |conn| {
        let copy = diesel::sql_query("VACUUM INTO ?").bind::<Text, _>(path);
        diesel::RunQueryDsl::execute(copy, conn)
    })
    .await?;
    Ok(())
}
