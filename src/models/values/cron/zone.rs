//! Time zones.

use chrono_tz::{TZ_VARIANTS, Tz};

use super::super::Invalid;

/// A time zone of the [IANA database], by its name there.
///
/// [IANA database]: https://www.iana.org/time-zones
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Zone(pub(super) Tz);

impl Zone {
    /// Takes the name of a zone or of a link to one, in any case, as the names differ by more than
    /// that. Offsets, such as `+02:00`, are no names.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        TZ_VARIANTS
            .into_iter()
            .find(|zone| zone.name().eq_ignore_ascii_case(text))
            .map(Self)
            .ok_or_else(|| "must be the IANA name of a time zone, such as Europe/Berlin".into())
    }

    /// The name, in the case that IANA gives it.
    pub fn as_str(self) -> &'static str {
        self.0.name()
    }
}
