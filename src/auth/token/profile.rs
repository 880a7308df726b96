//! What an issuer says about a person, in a token or at its userinfo endpoint.

use serde_json::{Map, Value};
use url::Url;

use super::error::Refusal;
use crate::config::Issuer;
use crate::models::values::email::Email;

/// The longest email address, in bytes; RFC 5321 §4.5.3.1.3 without the angle brackets.
const MAX_EMAIL: usize = 254;

/// The longest name that is kept, in Unicode scalar values; the rest is cut off.
const MAX_NAME: usize = 200;

/// The longest URL of a picture that is kept, in bytes.
const MAX_PICTURE: usize = 2048;

/// What an issuer says about a person.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// The email address; trimmed and in lower case, with one `@`, at most 254 bytes.
    pub email: Option<String>,
    /// Whether the issuer says that the address is verified, and is trusted with its domain.
    pub email_verified: bool,
    /// The name; trimmed, not empty, at most 200 characters.
    pub name: Option<String>,
    /// The URL of a picture; http or https, at most 2,048 bytes.
    pub picture: Option<Url>,
}

impl Profile {
    /// Reads the claims by the names that are configured for `issuer`.
    ///
    /// # Errors
    ///
    /// `Claim("email")` if the email claim is not an address.
    pub fn read(claims: &Map<String, Value>, issuer: &Issuer) -> Result<Self, Refusal> {
        let text = |name: &str| {
            claims
                .get(name)
                .and_then(Value::as_str)
                .map(str::trim)
                .filter(|text| !text.is_empty())
        };
        let names = &issuer.claims;
        let email = text(&names.email).map(address).transpose()?;
        let vouched = match claims.get(&names.email_verified) {
            Some(Value::Bool(verified)) => *verified,
            // Amazon Cognito and Apple send strings.
            Some(Value::String(verified)) => verified == "true",
            _ => false,
        };
        Ok(Self {
            email_verified: vouched && email.as_ref().is_some_and(|it| may_vouch(issuer, it)),
            email,
            name: text(&names.name).and_then(name),
            picture: text(&names.picture).and_then(picture),
        })
    }
}

fn address(text: &str) -> Result<String, Refusal> {
    // Normalized to the form in which addresses are compared, if possible: an invitation to the ASCII
    // form of a domain matches an issuer that writes it in Unicode.
    let email = Email::parse(text).map_or_else(|_| text.to_lowercase(), String::from);
    let well_formed = email.len() <= MAX_EMAIL
        && !email.contains(|c: char| c.is_whitespace() || c.is_control())
        && email.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@')
        });
    well_formed.then_some(email).ok_or(Refusal::Claim("email"))
}

fn may_vouch(issuer: &Issuer, email: &str) -> bool {
    let Some(domains) = &issuer.email_domains else {
        return true;
    };
    // Compared in ASCII, so that `bücher.example` and `xn--bcher-kva.example` are the same.
    let ascii = |domain: &str| idna::domain_to_ascii(domain).ok();
    let domain = email.rsplit_once('@').and_then(|(_, it)| ascii(it));
    domain.is_some() && domains.iter().any(|allowed| ascii(allowed) == domain)
}

fn name(text: &str) -> Option<String> {
    let name: String = text
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_NAME)
        .collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

fn picture(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.as_str().len() <= MAX_PICTURE).then_some(url)
}
