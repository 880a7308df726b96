//! What is wrong with a configuration.

/// Why the configuration is refused: one line for the person who wrote it, saying which key, where
/// it was set, and how to mend it. It repeats no value, since any may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// An error that reads `message`.
    pub(super) fn new(message: impl AsRef<str>) -> Self {
        // A quoted key of TOML may hold anything, line breaks too.
        Self(message.as_ref().replace(char::is_control, " "))
    }

    /// An error about one key: `http.port` `must be at most 65535` (in `tenantry.toml`).
    pub(super) fn about(key: &str, problem: &str, origin: Option<&str>) -> Self {
        Self::new(match origin {
            Some(origin) => format!("{key} {problem} (in {origin})"),
            None => format!("{key} {problem}"),
        })
    }
}
