//! Slugs.

use async_graphql::{Context, Enum, Object, Result, SimpleObject};

use super::context::ContextExt;
use crate::models::slugs;
use crate::models::values::slug::{Slug, SlugBase};

/// What a slug is of. Each kind has its own.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "slugs::SlugKind")]
pub enum SlugKind {
    /// An organization.
    Organization,
    /// A workspace.
    Workspace,
}

/// Whether a slug may be taken.
#[derive(SimpleObject)]
pub struct SlugAvailability {
    /// Whether it may be taken now.
    is_available: bool,
    /// The slug itself where it may be taken, else a free one near it.
    suggestion: String,
}

/// What can be read of slugs.
#[derive(Default)]
pub struct SlugQuery;

#[Object]
impl SlugQuery {
    /// Whether a slug may still be taken, and a free one near it. One that is reserved or malformed
    /// is not available.
    async fn slug_availability(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What somebody would like to have.")] slug: String,
        #[graphql(
            default_with = "SlugKind::Workspace",
            desc = "What it would be of; each kind has its own."
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
