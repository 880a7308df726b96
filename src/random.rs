//! Random bytes that nobody can guess.

use anyhow::anyhow;

/// As many random bytes, fit for secrets.
///
/// # Errors
/// Where the operating system has none to give.
pub fn bytes<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("no random bytes: {error}"))?;
    Ok(bytes)
}
