//! The fields of a pattern.

use croner::CronComponent;

use super::super::Invalid;

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// One of the five fields.
pub struct Field {
    name: &'static str,
    /// The names of the values, from the smallest on.
    names: &'static [&'static str],
    min: u16,
    max: u16,
}

pub const MINUTE: Field = Field::numbers("minute", 0, 59);
pub const HOUR: Field = Field::numbers("hour", 0, 23);
pub const DAY: Field = Field::numbers("day of the month", 1, 31);
pub const MONTH: Field = Field {
    names: &MONTHS,
    ..Field::numbers("month", 1, 12)
};
/// Sunday is both 0 and 7.
pub const WEEKDAY: Field = Field {
    names: &WEEKDAYS,
    ..Field::numbers("day of the week", 0, 7)
};

impl Field {
    const fn numbers(name: &'static str, min: u16, max: u16) -> Self {
        Self {
            name,
            names: &[],
            min,
            max,
        }
    }

    /// Parses the field, and returns it with numbers in place of names.
    ///
    /// A field is a list of values, ranges, and ranges or `*` with a step; or `*` alone.
    pub fn read(&self, text: &str) -> Result<String, Invalid> {
        self.numbered(text)
            .filter(|text| {
                let mut component = CronComponent::new(self.min, self.max, 0, 0);
                component.parse(text).is_ok()
            })
            .ok_or_else(|| {
                let Self { name, min, max, .. } = self;
                format!("must have a {name} as in crontab(5), with values from {min} to {max}")
                    .into()
            })
    }

    fn numbered(&self, text: &str) -> Option<String> {
        let parts: Option<Vec<_>> = text.split(',').map(|part| self.part(part)).collect();
        Some(parts?.join(","))
    }

    fn part(&self, part: &str) -> Option<String> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(number(step)?)),
            None => (part, None),
        };
        let range = match range.split_once('-') {
            Some((from, to)) => {
                let from = self.value(from)?;
                let to = match self.value(to)? {
                    // As the end of a range, the name of Sunday means the last day of the week.
                    0 if self.names == WEEKDAYS && from > 0 && number(to).is_none() => 7,
                    to => to,
                };
                format!("{from}-{to}")
            }
            None if range == "*" => range.to_owned(),
            None => self.value(range)?.to_string(),
        };
        Some(match step {
            Some(step) => format!("{range}/{step}"),
            None => range,
        })
    }

    fn value(&self, text: &str) -> Option<u16> {
        let named = self
            .names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(text));
        match named {
            // There are at most twelve names.
            Some(place) => Some(self.min + place as u16),
            None => number(text),
        }
    }
}

/// Parses digits only: neither a sign nor the digits of other scripts.
fn number(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}
