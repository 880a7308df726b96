//! Creating organizations.

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;

use super::{Organization, VisibleOrganization, add_member};
use crate::access::OrganizationRole;
use crate::access::visible::visible_organizations;
use crate::app::App;
use crate::auth::Viewer;
use crate::db::Transaction;
use crate::db::types::Instant;
use crate::error::Result;
use crate::id::{OrganizationId, UserId};
use crate::models::event::{self, EventKind, NewEvent};
use crate::models::rate_limit::{self, Rule};
use crate::models::slugs::{self, Owner, SlugKind};
use crate::models::user;
use crate::models::values::fold::fold;
use crate::models::values::slug::{Slug, SlugBase};
use crate::models::values::text;
use crate::run;
use crate::schema::{organization_members, organizations};

/// The input for a new organization.
#[derive(Clone, Debug)]
pub struct NewOrganization {
    /// The name, 2 to 80 characters.
    pub name: String,
    /// The slug; made from the name if `None`.
    pub slug: Option<Slug>,
    /// Whether it is created for someone who named none.
    pub is_personal: bool,
}

/// Creates an organization with the viewer as its owner.
///
/// # Errors
/// `SLUG_TAKEN`, `RATE_LIMITED`.
pub async fn create(
    app: &App,
    viewer: &Viewer,
    new: &NewOrganization,
) -> Result<VisibleOrganization> {
    app.db
        .transaction(async |tx| create_in(tx, app, viewer, new, app.now()).await)
        .await
}

/// Like [`create`], but as part of a transaction.
///
/// # Errors
/// As [`create`].
pub(in crate::models) async fn create_in(
    tx: &mut Transaction,
    app: &App,
    viewer: &Viewer,
    new: &NewOrganization,
    now: Instant,
) -> Result<VisibleOrganization> {
    user::lock_row(tx, viewer.id()).await?;
    let rule = Rule {
        name: "organizations",
        limit: app.config.limits.organizations_per_hour,
        window: TimeDelta::hours(1),
    };
    rate_limit::hit(tx, app, &rule, viewer.id(), now).await?;

    let id = OrganizationId::new(now.to_utc());
    let base = SlugBase::from_name(&new.name, SlugKind::Organization.fallback());
    let slug = match &new.slug {
        Some(slug) => slug.clone(),
        None => slugs::free(tx, SlugKind::Organization, &base).await?,
    };
    let mut organization = Organization {
        id,
        name: new.name.clone(),
        name_key: fold(&new.name),
        slug: slug.to_string(),
        is_personal: new.is_personal,
        workos_organization_id: None,
        plan_key: app.config.default_plan.clone(),
        created_by: Some(viewer.id()),
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    run!(
        tx,
        diesel::insert_into(organizations::table)
            .values(&organization)
            .execute(tx)
            .await
    )?;
    match &new.slug {
        Some(slug) => slugs::take(tx, Owner::Organization(id), slug).await?,
        None => {
            let slug = slugs::take_free(tx, Owner::Organization(id), &base, slug).await?;
            if slug.as_str() != organization.slug {
                organization.slug = slug.into();
                let row = organizations::table.find(id);
                let slug = organizations::slug.eq(&organization.slug);
                run!(tx, diesel::update(row).set(slug).execute(tx).await)?;
            }
        }
    }
    add_member(tx, id, viewer.id(), OrganizationRole::Owner, now).await?;
    let event = NewEvent {
        kind: EventKind::OrganizationCreated,
        organization: id,
        workspace: None,
        subject: id.into(),
        data: json!({ "name": organization.name, "slug": organization.slug }),
    };
    event::record(tx, viewer, now, event).await?;
    Ok(VisibleOrganization {
        organization,
        role: OrganizationRole::Owner,
    })
}

/// Returns the viewer's personal organization, if they have one in which they may create workspaces.
pub(in crate::models) async fn find_personal(
    tx: &mut Transaction,
    viewer: UserId,
) -> Result<Option<OrganizationId>> {
    Ok(run!(
        tx,
        visible_organizations(viewer)
            .filter(organizations::is_personal.and(organizations::created_by.eq(viewer)))
            .filter(
                organization_members::role
                    .eq_any([OrganizationRole::Owner, OrganizationRole::Admin])
            )
            .order_by(organizations::id)
            .select(organizations::id)
            .first(tx)
            .await
            .optional()
    )?)
}

/// Returns the input for the viewer's personal organization, named like `Ada's organization`.
pub fn personal(viewer: &Viewer) -> NewOrganization {
    let suffix = "'s organization";
    let room = 80 - suffix.len();
    let owner: String = viewer.user.display_name().chars().take(room).collect();
    let name = text::name(&format!("{}{suffix}", owner.trim()));
    // Names from issuers may contain characters that ours may not.
    let name = name.unwrap_or_else(|_| "Personal organization".to_owned());
    NewOrganization {
        name,
        slug: None,
        is_personal: true,
    }
}
