//! What is wrong with a configuration.

/// Why the configuration is refused, in one line for the person who wrote it: which key, where it was
/// set, and how to fix it. It never repeats a value, since any may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// Creates an error that reads `message`.
    pub(super) fn new(message: impl AsRef<str>) -> Self {
        // A quoted TOML key may contain anything, even line breaks.
        Self(message.as_ref().replace(char::is_control, " "))
    }

    /// Creates an error about one key: `http.port` `must be at most 65535` (in `tenantry.toml`).
    pub(super) fn about(key: &str, problem: &str, origin: Option<&str>) -> Self {
        Self::new(match origin {
            Some(origin) => format!("{key} {problem} (in {origin})"),
            None => format!("{key} {problem}"),
        })
    }
}
