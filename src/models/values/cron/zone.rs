//! Time zones.

use chrono_tz::{TZ_VARIANTS, Tz};

use super::super::Invalid;

/// A time zone of the [IANA database], identified by its name there.
///
/// [IANA database]: https://www.iana.org/time-zones
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Zone(pub(super) Tz);

impl Zone {
    /// Parses the name of a zone or of a link to one, in any case, as no two names differ only in case.
    /// Offsets, such as `+02:00`, are not names.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        TZ_VARIANTS
            .into_iter()
            .find(|zone| zone.name().eq_ignore_ascii_case(text))
            .map(Self)
            .ok_or_else(|| "must be the IANA name of a time zone, such as Europe/Berlin".into())
    }

    /// Returns the name, in IANA's capitalization.
    pub fn as_str(self) -> &'static str {
        self.0.name()
    }
}
