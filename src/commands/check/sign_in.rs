//! Checks of authentication.

use reqwest::Client;
use tenantry::auth::token::DevelopmentKey;
use tenantry::config::Config;
use tenantry::start::{StartError, look_for_keys};

use super::Finding;

/// Checks that there is a way to sign in.
pub fn sign_in(config: &Config) -> Finding {
    let issuers = match config.auth.issuers.len() {
        0 => None,
        1 => Some("with tokens of one issuer".to_owned()),
        count => Some(format!("with tokens of {count} issuers")),
    };
    match (issuers, config.auth.development_enabled()) {
        (Some(issuers), false) => Ok(issuers),
        (None, false) => Err(
            "nobody can sign in except with an API token: development identities are switched off and \
             no issuer is configured; set TENANTRY_AUTH__ISSUERS__0__ISSUER and so on"
                .to_owned(),
        ),
        (issuers, true) => {
            let key = config.data_dir.join("development.key");
            let key = match DevelopmentKey::load(&config.data_dir) {
                Ok(Some(_)) => format!("the key in {}", key.display()),
                Ok(None) => format!("a key in {}, which is created at start", key.display()),
                Err(error) => return Err(error.to_string()),
            };
            let reach = match config.http.is_loopback() {
                true => "",
                false => ": whoever can read it or the log can sign in as anybody, even from other machines",
            };
            let issuers = issuers.map_or_else(String::new, |issuers| format!("{issuers}, and "));
            Ok(format!("{issuers}with development tokens, signed with {key}{reach}"))
        }
    }
}

/// Fetches the keys of each issuer.
pub async fn issuers(config: &Config, http: &Client) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, issuer) in config.auth.issuers.iter().enumerate() {
        findings.push(match look_for_keys(number, issuer, http).await {
            Ok(1) => Ok(format!("{} has a key", issuer.issuer)),
            Ok(count) => Ok(format!("{} has {count} keys", issuer.issuer)),
            Err(StartError(problem)) => Err(problem),
        });
    }
    findings
}
