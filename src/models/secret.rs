//! Server secrets that all instances on one database share without any configuration. Whoever can read
//! the database can read them.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::app::App;
use crate::db::Connection;
use crate::error::Result;
use crate::run;
use crate::schema::secrets;

/// Returns the secret of this name. If there is none yet, creates it with `new`; if another instance is
/// faster, all get that instance's secret.
///
/// # Errors
/// Database errors, and those of `new`.
pub async fn shared(app: &App, name: &str, new: impl Fn() -> Result<String>) -> Result<String> {
    if let Some(value) = find(&mut app.db.read().await?, name).await? {
        return Ok(value);
    }
    let (value, now) = (new()?, app.now());
    app.db
        .transaction(async |tx| {
            let row = (
                secrets::name.eq(name),
                secrets::value.eq(&value),
                secrets::created_at.eq(now),
            );
            run!(
                tx,
                diesel::insert_into(secrets::table)
                    .values(row)
                    .on_conflict_do_nothing()
                    .execute(tx)
                    .await
            )?;
            let kept = find(tx, name).await?;
            kept.ok_or_else(|| {
                anyhow::anyhow!("the secret was deleted right after it was stored").into()
            })
        })
        .await
}

async fn find(conn: &mut Connection, name: &str) -> Result<Option<String>> {
    let row = secrets::table.find(name).select(secrets::value);
    Ok(run!(conn, row.first(conn).await.optional())?)
}
