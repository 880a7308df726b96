//! Join codes, which let the people who know them into a workspace.

use std::fmt;

use super::Invalid;

/// [Crockford's base32], which leaves out `U` and the letters that are mistaken for digits.
///
/// [Crockford's base32]: https://www.crockford.com/base32.html
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Digits in a code, of five bits each.
const LENGTH: usize = 12;

/// A join code: 60 bits, stored as 12 digits and shown as `XXXX-XXXX-XXXX`.
///
/// Anybody who knows a code may use it, so its `Debug` form does not reveal it.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinCode(String);

impl JoinCode {
    /// Makes a code of random bytes. Four of the 64 bits are unused.
    pub fn generate(random: [u8; 8]) -> Self {
        let bits = u64::from_be_bytes(random);
        let digit = |place| char::from(DIGITS[(bits >> (5 * place)) as usize % 32]);
        Self((0..LENGTH).map(digit).collect())
    }

    /// Parses a code as people write it: in any case, with hyphens and spaces anywhere, with `O` for
    /// `0`, and with `I` or `L` for `1`.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        raw.chars()
            .filter(|c| !is_separator(*c))
            // One more is enough to see that there are too many.
            .take(LENGTH + 1)
            .map(digit)
            .collect::<Option<String>>()
            .filter(|digits| digits.len() == LENGTH)
            .map(Self)
            .ok_or_else(|| "must be a code of 12 letters and digits, such as 7K2M-QX94-D0HT".into())
    }

    /// Returns the 12 digits, as they are stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Includes the dashes that word processors put in place of hyphens.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn digit(c: char) -> Option<char> {
    match c.to_ascii_uppercase() {
        'O' => Some('0'),
        'I' | 'L' => Some('1'),
        c => DIGITS
            .iter()
            .copied()
            .map(char::from)
            .find(|digit| *digit == c),
    }
}

impl fmt::Display for JoinCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Always twelve ASCII characters.
        write!(f, "{}-{}-{}", &self.0[..4], &self.0[4..8], &self.0[8..])
    }
}

impl fmt::Debug for JoinCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JoinCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn takes_what_people_write() {
        for raw in [
            "7K2MQX94D01T",
            "7K2M-QX94-D01T",
            " 7k2m qx94 d01t\n",
            "7k2m-qx94-dolt",
            "7K2M-QX94-DOIT",
            "7-K-2-M-Q-X-9-4-D-0-1-T-",
            "7K2M–QX94—D01T",
            "7K2M\u{2011}QX94\u{A0}D01T",
        ] {
            let code = JoinCode::parse(raw).unwrap();
            assert_eq!(code.as_str(), "7K2MQX94D01T", "{raw:?}");
            assert_eq!(code.to_string(), "7K2M-QX94-D01T", "{raw:?}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for raw in [
            "",
            "-",
            "7K2M-QX94-D01",
            "7K2M-QX94-D01TT",
            "7K2M-QX94-D01U",
            "7K2M-QX94-D01*",
            "7K2M_QX94_D01T",
            "7K2M-QX94-D01\0",
            "7K2M-QX94-D01é",
            // The Kelvin sign and a full-width digit.
            "7\u{212A}2M-QX94-D01T",
            "７K2M-QX94-D01T",
        ] {
            assert!(JoinCode::parse(raw).is_err(), "{raw:?}");
        }
    }

    #[test]
    fn every_code_is_read_back() {
        let mut seen = HashSet::new();
        for bit in 0..60_u64 {
            let code = JoinCode::generate((1_u64 << bit).to_be_bytes());
            assert_eq!(JoinCode::parse(code.as_str()).as_ref(), Ok(&code));
            assert_eq!(
                JoinCode::parse(&code.to_string().to_lowercase()).as_ref(),
                Ok(&code)
            );
            seen.insert(code.as_str().to_owned());
        }
        assert_eq!(seen.len(), 60, "every bit counts");
        assert_eq!(JoinCode::generate([0; 8]).to_string(), "0000-0000-0000");
        assert_eq!(JoinCode::generate([0xFF; 8]).to_string(), "ZZZZ-ZZZZ-ZZZZ");
    }

    #[test]
    fn debugging_does_not_tell_it() {
        let code = JoinCode::generate([7; 8]);
        assert!(!format!("{code:?}").contains(code.as_str()));
    }
}
