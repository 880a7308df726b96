//! Workspace icons.

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use super::context::ContextExt;
use super::scalar::{DateTime, Url};
use crate::files::{Format, MAX_BYTES};
use crate::models::file;

/// Payload of `generateWorkspaceIconUploadUrl`.
#[derive(SimpleObject)]
struct GenerateWorkspaceIconUploadUrlPayload {
    /// Accepts one PUT of the image's bytes, without credentials, until it expires.
    upload_url: Url,
    /// The id to pass as `iconStorageId` once the image is uploaded, valid for one workspace and
    /// for a day.
    storage_id: ID,
    /// When the URL expires, 15 minutes after it was issued.
    expires_at: DateTime,
    /// The maximum size of the image in bytes.
    max_bytes: i32,
    /// The media types allowed for the image.
    content_types: Vec<&'static str>,
}

/// Mutations on icons.
#[derive(Default)]
pub struct IconMutation;

#[Object]
impl IconMutation {
    /// Returns a URL to which the viewer can upload an icon for one of their workspaces: a PNG,
    /// JPEG, WebP or GIF image of 16 to 2,048 pixels a side. At most 20 an hour for each user
    /// unless configured otherwise. Requires being signed in.
    async fn generate_workspace_icon_upload_url(
        &self,
        ctx: &Context<'_>,
    ) -> Result<GenerateWorkspaceIconUploadUrlPayload> {
        let upload = file::offer(ctx.app(), ctx.viewer()?).await?;
        let formats = Format::ALL.iter();
        Ok(GenerateWorkspaceIconUploadUrlPayload {
            upload_url: Url(upload.url),
            storage_id: upload.id.into(),
            expires_at: upload.expires_at.into(),
            max_bytes: i32::try_from(MAX_BYTES).unwrap_or(i32::MAX),
            content_types: formats.map(|format| format.media_type()).collect(),
        })
    }
}
