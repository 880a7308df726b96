//! Cryptographically secure random bytes.

use anyhow::anyhow;

/// Returns `N` random bytes, fit for secrets.
///
/// # Errors
/// If the operating system provides none.
pub fn bytes<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("no random bytes: {error}"))?;
    Ok(bytes)
}
