//! The plan that an organization is on, which the operator decides.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::app::App;
use crate::error::Result;
use crate::run;
use crate::schema::{organization_slugs, organizations};

/// Puts the live organization with this slug on a plan, and returns whether there is one. What exceeds
/// the plan's limits stays, but cannot grow.
///
/// # Errors
/// Database errors only.
pub async fn set_plan(app: &App, slug: &str, plan_key: &str) -> Result<bool> {
    let now = app.now();
    let changed = app
        .db
        .transaction(async |tx| {
            let owner = organization_slugs::table
                .filter(organization_slugs::slug.eq(slug))
                .filter(organization_slugs::is_current)
                .select(organization_slugs::organization_id);
            let live = organizations::table
                .filter(organizations::id.eq_any(owner))
                .filter(organizations::deleted_at.is_null());
            let plan = (
                organizations::plan_key.eq(plan_key),
                organizations::updated_at.eq(now),
            );
            Ok(run!(tx, diesel::update(live).set(plan).execute(tx).await)?)
        })
        .await?;
    Ok(changed > 0)
}
