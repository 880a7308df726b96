//! Email addresses.

use idna::AsciiDenyList;

use super::domain::is_label;
use super::{Invalid, checked_text};

/// The longest address in characters that a mail server must accept: the 256 of a path ([RFC 5321],
/// section 4.5.3.1.3) less its angle brackets.
///
/// [RFC 5321]: https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1.3
const MAX_LENGTH: usize = 254;

/// The longest address as written that is parsed, in bytes. In ASCII it may get shorter, but not by that
/// much.
const MAX_RAW_LENGTH: usize = 2_048;

const MALFORMED: &str = "must be an email address such as ada@example.com";

/// A [valid email address] as defined by the HTML living standard, in lower case.
///
/// The definition is narrower than what mail allows (no quotes, no comments, no address literals), but
/// covers the addresses that people have: the domain needs no dot.
///
/// [valid email address]: https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

checked_text!(Email);

impl Email {
    /// Parses an address in any case, with spaces around it, and with its domain in Unicode or in ASCII.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let text = raw.trim();
        if text.len() > MAX_RAW_LENGTH {
            return Err(too_long());
        }
        let (local, domain) = text.rsplit_once('@').ok_or(MALFORMED)?;
        // `is_label` refuses the characters that a host may not have.
        let domain = idna::domain_to_ascii_cow(domain.as_bytes(), AsciiDenyList::EMPTY)
            .map_err(|_| MALFORMED)?;
        if !is_local_part(local) || !domain.split('.').all(is_label) {
            return Err(MALFORMED.into());
        }
        // The address is ASCII here, so lowering its case is safe: in Unicode, other characters have
        // ASCII letters as their lower case, so one person's address could become another's.
        let address = format!("{}@{domain}", local.to_ascii_lowercase());
        if address.len() > MAX_LENGTH {
            return Err(too_long());
        }
        Ok(Self(address))
    }
}

fn too_long() -> Invalid {
    format!("must be at most {MAX_LENGTH} characters long").into()
}

/// Checks what the standard allows before the `@`: [RFC 5322]'s `atext` and dots, in any order.
///
/// [RFC 5322]: https://www.rfc-editor.org/rfc/rfc5322#section-3.2.3
fn is_local_part(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_form_of_the_standard() {
        for (raw, stored) in [
            ("ada@example.com", "ada@example.com"),
            (" Ada.Lovelace@Example.COM\n", "ada.lovelace@example.com"),
            ("ada+tag@example.com", "ada+tag@example.com"),
            (".ada..l.@example.com", ".ada..l.@example.com"),
            (
                "!#$%&'*+/=?^_`{|}~-@example.com",
                "!#$%&'*+/=?^_`{|}~-@example.com",
            ),
            ("root@localhost", "root@localhost"),
            ("a@b", "a@b"),
            ("a@1.2.3.4", "a@1.2.3.4"),
            ("a@a--b.example", "a@a--b.example"),
            ("ada@bücher.example", "ada@xn--bcher-kva.example"),
            ("ADA@BU\u{308}CHER.example", "ada@xn--bcher-kva.example"),
            ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
            ("ada@例え。テスト", "ada@xn--r8jz45g.xn--zckzah"),
            ("ada@ＥＸＡＭＰＬＥ.com", "ada@example.com"),
        ] {
            let email = Email::parse(raw).unwrap();
            assert_eq!(email.as_str(), stored, "{raw:?}");
            assert_eq!(Email::parse(stored), Ok(email), "{raw:?}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for raw in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "ada@@example.com",
            "ada@b@example.com",
            "ada lovelace@example.com",
            "ada@exam ple.com",
            "ada@exa\tmple.com",
            "ada@example..com",
            "ada@.example.com",
            "ada@example.com.",
            "ada@-example.com",
            "ada@example-.com",
            "ada@ex_ample.com",
            "ada@[127.0.0.1]",
            "ada@example.com:25",
            "\"ada\"@example.com",
            "ada(comment)@example.com",
            "Ada <ada@example.com>",
            "ada@example.com, bob@example.com",
            "ada@example.com\r\nBcc: bob@example.com",
            "ada\0@example.com",
            "adá@example.com",
            // The Kelvin sign, whose lower case is the letter k, and the full-width at sign.
            "\u{212A}elvin@example.com",
            "ada＠example.com",
            "ada@bob＠example.com",
            "ada@xn--a.example",
        ] {
            assert_eq!(Email::parse(raw), Err(MALFORMED.into()), "{raw:?}");
        }
    }

    #[test]
    fn lengths_have_bounds() {
        let label = "a".repeat(63);
        let domain = format!("{label}.{label}.{label}");
        assert!(Email::parse(&format!("{}@{domain}", "l".repeat(62))).is_ok());
        let message = "must be at most 254 characters long";
        assert_eq!(
            Email::parse(&format!("{}@{domain}", "l".repeat(63))),
            Err(message.into())
        );
        assert_eq!(
            Email::parse(&format!("ada@{label}a.com")),
            Err(MALFORMED.into())
        );
        assert_eq!(
            Email::parse(&format!("ada@{}", "é".repeat(500_000))),
            Err(message.into())
        );
        // Short enough as written, but not in ASCII.
        let unicode = format!("{}@{}com", "l".repeat(60), "é.".repeat(40));
        assert_eq!(Email::parse(&unicode), Err(message.into()));
    }
}
