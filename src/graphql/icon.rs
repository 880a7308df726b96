//! Icons of workspaces.

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use super::context::ContextExt;
use super::scalar::{DateTime, Url};
use crate::files::{Format, MAX_BYTES};
use crate::models::file;

/// What `generateWorkspaceIconUploadUrl` answers.
#[derive(SimpleObject)]
struct GenerateWorkspaceIconUploadUrlPayload {
    /// Accepts one PUT of the image's bytes, without credentials, until it expires.
    upload_url: Url,
    /// For `iconStorageId`, once the image is uploaded: good for one workspace, and for a day.
    storage_id: ID,
    /// When the URL expires, 15 minutes after it was given out.
    expires_at: DateTime,
    /// How many bytes the image may have.
    max_bytes: i32,
    /// The media types that the image may have.
    content_types: Vec<&'static str>,
}

/// What can be changed of icons.
#[derive(Default)]
pub struct IconMutation;

#[Object]
impl IconMutation {
    /// Gives a URL to which the icon of a workspace is uploaded, for the viewer to use it: a PNG,
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
