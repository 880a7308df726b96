//! Slugs.

use async_graphql::{Context, Enum, Object, Result, SimpleObject};

use super::context::ContextExt;
use crate::models::slugs;
use crate::models::values::slug::{Slug, SlugBase};

/// What a slug belongs to. Each kind has slugs of its own: an organization and a workspace may have
/// the same.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "slugs::SlugKind")]
pub enum SlugKind {
    /// Slugs of organizations.
    Organization,
    /// Slugs of workspaces.
    Workspace,
}

/// Whether a slug can be taken.
#[derive(SimpleObject)]
pub struct SlugAvailability {
    /// Whether the slug can be taken now.
    is_available: bool,
    /// The slug itself where it can be taken, else a free one near it.
    suggestion: String,
}

/// What can be read of slugs.
#[derive(Default)]
pub struct SlugQuery;

#[Object]
impl SlugQuery {
    /// Whether a slug can still be taken, and a free one near it. One that is reserved or malformed
    /// is not available.
    async fn slug_availability(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The slug that is wanted, or a name to make one from; case does not matter."
        )]
        slug: String,
        #[graphql(
            default_with = "SlugKind::Workspace",
            desc = "What the slug is wanted for."
        )]
        kind: SlugKind,
    ) -> Result<SlugAvailability> {
        ctx.viewer()?;
        let kind = slugs::SlugKind::from(kind);
        let mut conn = ctx.app().db.read().await?;
        let base = match Slug::parse(&slug) {
            Ok(slug) => {
                if slugs::is_available(&mut conn, kind, &slug).await? {
                    return Ok(SlugAvailability {
                        is_available: true,
                        suggestion: slug.into(),
                    });
                }
                SlugBase::from(slug)
            }
            Err(_) => SlugBase::from_name(&slug, kind.fallback()),
        };
        let suggestion = slugs::free(&mut conn, kind, &base).await?.into();
        Ok(SlugAvailability {
            is_available: false,
            suggestion,
        })
    }
}
