//! Slugs.

use async_graphql::{Context, Enum, Object, Result, SimpleObject};

use super::context::ContextExt;
use crate::models::slugs;
use crate::models::values::slug::{Slug, SlugBase};

/// What a slug belongs to. Each kind has its own slugs: an organization and a workspace may have
/// the same one.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "slugs::SlugKind")]
pub enum SlugKind {
    /// Slugs of organizations.
    Organization,
    /// Slugs of workspaces.
    Workspace,
}

/// Whether a slug is available.
#[derive(SimpleObject)]
pub struct SlugAvailability {
    /// Whether the slug is available now.
    is_available: bool,
    /// The slug itself if it is available, otherwise a similar one that is.
    suggestion: String,
}

/// Queries about slugs.
#[derive(Default)]
pub struct SlugQuery;

#[Object]
impl SlugQuery {
    /// Whether a slug is available, and a similar one that is. A reserved or malformed slug is not
    /// available.
    async fn slug_availability(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The slug to check, or a name to derive one from; case does not matter.")]
        slug: String,
        #[graphql(default_with = "SlugKind::Workspace", desc = "What the slug is for.")]
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
