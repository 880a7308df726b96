//! The 26 characters after an id's underscore: 128 bits, five per character, highest bits first.
//!
//! 26 characters hold 130 bits, so the two highest are always zero and the first character is at most
//! `7`.

/// Crockford's base32 in lower case, as the TypeID specification requires. Unlike in Crockford's, there
/// are no aliases: `O` is not `0`, and case matters.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The number of characters in a suffix.
const LENGTH: usize = 26;

/// Marks a byte in [`VALUES`] that is not a digit.
const NONE: u8 = u8::MAX;

/// The value of each byte as a digit.
const VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < DIGITS.len() {
        values[DIGITS[value] as usize] = value as u8;
        value += 1;
    }
    values
};

/// Encodes `bits` as ASCII digits.
pub fn encode(bits: u128) -> [u8; LENGTH] {
    std::array::from_fn(|place| DIGITS[(bits >> (5 * (LENGTH - 1 - place))) as usize % 32])
}

/// Decodes what [`encode`] produced; `None` for anything else.
pub fn decode(text: &str) -> Option<u128> {
    let digits: &[u8; LENGTH] = text.as_bytes().try_into().ok()?;
    if digits[0] > b'7' {
        return None;
    }
    digits.iter().try_fold(0, |bits, digit| {
        let value = VALUES[usize::from(*digit)];
        (value != NONE).then_some(bits << 5 | u128::from(value))
    })
}
