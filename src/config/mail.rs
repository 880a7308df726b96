//! `[mail]`: sending mail.

use serde::{Deserialize, Serialize};
use url::Url;

use super::Secret;

/// The placeholder for the invitation's id in [`Mail::invitation_url`].
const ID: &str = "{id}";

/// Sending mail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mail {
    /// The mail server: `smtp://user:password@host:587` (upgraded with STARTTLS) or `smtps://…`
    /// (encrypted from the start). Default: none, and each mail is written to an `.eml` file in `mail`
    /// in the data directory.
    pub smtp_url: Option<Secret>,

    /// The sender: an address, or a name and an address in angle brackets. Default:
    /// `Tenantry <no-reply@localhost>`.
    pub from: String,

    /// The page of the product's own front end for responding to an invitation, http or https; `{id}` in
    /// it is replaced by the invitation's id. Default: the public URL.
    pub invitation_url: Option<String>,
}

impl Mail {
    /// Returns the link for the mail about the invitation `id`.
    pub fn invitation_link(&self, id: &str, public_url: &Url) -> String {
        match &self.invitation_url {
            Some(page) => page.replace(ID, id),
            None => public_url.to_string(),
        }
    }
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            smtp_url: None,
            from: "Tenantry <no-reply@localhost>".into(),
            invitation_url: None,
        }
    }
}
