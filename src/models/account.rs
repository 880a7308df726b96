//! Deleting one's own account: what belongs to the person alone is deleted, what others use stays.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::values::email::Email;
use super::{api_token, event, invitation, organization, user};
use crate::access::OrganizationRole;
use crate::access::visible::visible_organizations;
use crate::app::App;
use crate::auth::Viewer;
use crate::db::types::Instant;
use crate::db::{Connection, Transaction, lock, on_its_thread};
use crate::error::{Error, Result};
use crate::id::{OrganizationId, UserId};
use crate::models::event::EventKind;
use crate::models::organization::{Organization, OrganizationMember, VisibleOrganization};
use crate::models::user::User;
use crate::run;
use crate::schema::{organization_members, organizations};

/// What deleting the account would do.
#[derive(Clone, Debug, Default)]
pub struct Deletion {
    /// Organizations with other members of which the person is the only owner, by name. As long as there
    /// are any, the account cannot be deleted.
    pub blocked_by: Vec<VisibleOrganization>,
    /// Organizations of which the person is the only member, by name. They would be deleted.
    pub deletes: Vec<VisibleOrganization>,
    /// The person's memberships of their other organizations.
    leaves: Vec<OrganizationMember>,
}

/// Returns what deleting the account would do now.
///
/// # Errors
/// Database errors only.
pub async fn deletion(conn: &mut Connection, viewer: UserId) -> Result<Deletion> {
    let members = diesel::alias!(organization_members as members);
    let owners = diesel::alias!(organization_members as owners);
    let member = members
        .filter(
            members
                .field(organization_members::organization_id)
                .eq(organizations::id),
        )
        .filter(members.field(organization_members::user_id).ne(viewer))
        .select(members.field(organization_members::id));
    let owner = owners
        .filter(
            owners
                .field(organization_members::organization_id)
                .eq(organizations::id),
        )
        .filter(owners.field(organization_members::user_id).ne(viewer))
        .filter(
            owners
                .field(organization_members::role)
                .eq(OrganizationRole::Owner),
        )
        .select(owners.field(organization_members::id));
    let found: Vec<(Organization, OrganizationMember, bool, bool)> = run!(
        conn,
        visible_organizations(viewer)
            .order_by((organizations::name_key, organizations::id))
            .select((
                Organization::as_select(),
                OrganizationMember::as_select(),
                exists(member),
                exists(owner)
            ))
            .load(conn)
            .await
    )?;
    let mut deletion = Deletion::default();
    for (organization, member, has_others, has_other_owner) in found {
        let role = member.role;
        let visible = VisibleOrganization { organization, role };
        if !has_others {
            deletion.deletes.push(visible);
        } else if has_other_owner {
            deletion.leaves.push(member);
        } else {
            deletion.blocked_by.push(visible);
        }
    }
    Ok(deletion)
}

/// Deletes the viewer's account: organizations that are theirs alone with everything in them, their
/// memberships of the others, and their tokens. Invitations that they sent are revoked, those they
/// received are declined. What they made for others stays, without an author; workspaces that they alone
/// owned pass to the organization's longest-standing OWNER. The number of statements does not depend on
/// how much there is.
///
/// # Errors
/// `FORBIDDEN` for a request with an API token; `INVALID_INPUT` if `confirm_email` is not their address;
/// `CONFLICT` with the organizations that they must hand over first.
pub async fn delete(app: &App, viewer: &Viewer, confirm_email: &str) -> Result<()> {
    api_token::refuse_api_token(viewer)?;
    if !is_address_of(confirm_email, &viewer.user) {
        return Err(Error::invalid(
            "confirmEmail",
            "must be your own email address",
        ));
    }
    app.db
        .transaction(async |tx| {
            user::lock_row(tx, viewer.id()).await?;
            lock_organizations(tx, viewer.id()).await?;
            let deletion = deletion(tx, viewer.id()).await?;
            if !deletion.blocked_by.is_empty() {
                return Err(blocked(&deletion.blocked_by));
            }
            on_its_thread(delete_in(tx, viewer, &deletion, app.now())).await
        })
        .await
}

async fn delete_in(
    tx: &mut Transaction,
    viewer: &Viewer,
    deletion: &Deletion,
    now: Instant,
) -> Result<()> {
    let ids = deletion.deletes.iter().map(|it| it.organization.id);
    organization::delete_all(tx, viewer, &ids.collect::<Vec<_>>(), now).await?;

    let leaves = &deletion.leaves;
    let ids: Vec<_> = leaves.iter().map(|it| it.organization_id).collect();
    organization::pass_workspaces(tx, viewer, &ids, viewer.id(), now).await?;
    let removed = leaves
        .iter()
        .map(|it| it.event(EventKind::OrganizationMemberRemoved));
    event::record_all(tx, viewer, now, removed.collect()).await?;
    invitation::revoke_of_inviter(tx, viewer, viewer.id(), now).await?;
    invitation::decline_all(tx, viewer, now).await?;

    user::forget(tx, &viewer.user, now).await
}

/// Locks the rows of all organizations of the person, so that their other owners cannot change.
async fn lock_organizations(tx: &mut Transaction, user: UserId) -> Result<()> {
    run!(tx, {
        let theirs = organization_members::table
            .filter(organization_members::user_id.eq(user))
            .select(organization_members::organization_id);
        let rows = organizations::table
            .filter(organizations::id.eq_any(theirs))
            .order_by(organizations::id)
            .select(organizations::id);
        lock(rows).load::<OrganizationId>(tx).await
    })?;
    Ok(())
}

fn is_address_of(written: &str, user: &User) -> bool {
    if written.trim().to_lowercase() == user.email {
        return true;
    }
    match (Email::parse(written), Email::parse(&user.email)) {
        (Ok(written), Ok(own)) => written == own,
        _ => false,
    }
}

fn blocked(by: &[VisibleOrganization]) -> Error {
    let named = by.iter().map(|it| {
        let organization = &it.organization;
        (organization.id, organization.name.clone())
    });
    Error::MustHandOver(named.collect())
}
