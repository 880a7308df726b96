//! When a schedule runs: a pattern as in [crontab(5)], in the local time of a time zone.
//!
//! `croner` parses the fields and walks the calendar. It accepts more patterns than crontab(5), and
//! treats the days on which clocks change differently, so [`field`] and [`Cron::next_after`] handle
//! these.
//!
//! [crontab(5)]: https://man7.org/linux/man-pages/man5/crontab.5.html

mod field;
mod interval;
#[cfg(test)]
mod properties;
mod zone;

#[cfg(test)]
mod tests;

use std::fmt;

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};
use croner::parser::{CronParser, Seconds, Year};

pub use zone::Zone;

use super::Invalid;
use crate::db::types::Instant;

/// The longest pattern, in bytes: twice what it takes to list every value of each field.
const MAX_BYTES: usize = 1_000;

const SHAPE: &str = "must be five fields as in crontab(5), such as 0 0 * * *";

/// A pattern of five fields: minute, hour, day of the month, month, day of the week.
///
/// If neither of the two day fields contains a `*`, a day matches if either field does; otherwise, both
/// must match. The text is kept as written, except for white space.
#[derive(Clone)]
pub struct Cron {
    text: String,
    pattern: croner::Cron,
    /// Whether the pattern recurs with the local clock, rather than at fixed times of the day.
    follows_clock: bool,
}

impl Cron {
    /// Parses a pattern that runs at all, and at most once in `min_interval_minutes` minutes (up to a
    /// year), ignoring changes of the clock.
    pub fn parse(text: &str, min_interval_minutes: u32) -> Result<Self, Invalid> {
        let cron = Self::read(text)?;
        match interval::shortest(&cron.pattern) {
            None => Err("must not ask for a day that never occurs".into()),
            Some(minutes) if minutes < min_interval_minutes => Err(format!(
                "must leave at least {min_interval_minutes} minutes between two runs"
            )
            .into()),
            Some(_) => Ok(cron),
        }
    }

    /// Parses a pattern that was accepted before, whatever the minimum interval is now.
    ///
    /// # Errors
    /// If the text is not a pattern.
    pub fn stored(text: &str) -> anyhow::Result<Self> {
        Self::read(text).map_err(|invalid| anyhow::anyhow!("the pattern of a schedule {invalid}"))
    }

    fn read(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.len() > MAX_BYTES {
            return Err(format!("must be at most {MAX_BYTES} characters long").into());
        }
        if text.starts_with('@') {
            return Err("must spell out its five fields: nicknames are not supported".into());
        }
        let words: Vec<&str> = text
            .split([' ', '\t'])
            .filter(|it| !it.is_empty())
            .collect();
        let Ok(words) = <[&str; 5]>::try_from(words) else {
            return Err(SHAPE.into());
        };
        let [minute, hour, day, month, weekday] = words;
        let fields = [
            field::MINUTE.read(minute)?,
            field::HOUR.read(hour)?,
            field::DAY.read(day)?,
            field::MONTH.read(month)?,
            field::WEEKDAY.read(weekday)?,
        ];
        let pattern = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .dom_and_dow(day.contains('*') || weekday.contains('*'))
            .build()
            .parse(&fields.join(" "))
            .map_err(|_| SHAPE)?;
        let follows_clock = hour.contains(['*', '/']) || pattern.pattern.hours.values().len() == 24;
        Ok(Self {
            text: words.join(" "),
            pattern,
            follows_clock,
        })
    }

    /// Returns the pattern, as it is stored.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the first time after `after` that matches in the zone's local time.
    ///
    /// When the clock is set forward, the times that it skips are all due once, at the end of the gap;
    /// when it is set back, repeated times are due only the first time. Patterns whose hours have a
    /// step, or are all 24, follow the clock instead: they leave out what it skips, and repeat what it
    /// repeats.
    ///
    /// Returns `None` if there is no match until the end of the year 4999.
    pub fn next_after(&self, Zone(zone): Zone, after: Instant) -> Option<Instant> {
        let after = after.to_utc();
        let mut wall = before_setting_back(zone, after)?;
        // Local times are visited in the order of their first instants. Only the second instant of an
        // earlier local time can come before the one that ends the search.
        let mut repeated: Option<DateTime<Utc>> = None;
        loop {
            wall = self.pattern.find_next_occurrence(&wall, false).ok()?;
            let (first, second) = match zone.from_local_datetime(&wall) {
                MappedLocalTime::Single(only) => (only, None),
                MappedLocalTime::Ambiguous(first, second) => (first, Some(second)),
                MappedLocalTime::None if self.follows_clock => continue,
                MappedLocalTime::None => (GapInfo::new(&wall, &zone)?.end?, None),
            };
            if self.follows_clock
                && repeated.is_none()
                && let Some(second) = second.filter(|second| *second > after)
            {
                repeated = Some(second.to_utc());
            }
            if first > after {
                let first = first.to_utc();
                return Some(repeated.map_or(first, |second| first.min(second)).into());
            }
        }
    }
}

/// Returns a local time before every one that is still to come, even for the second time: the current
/// local time, less what the clock will be set back by within a day.
fn before_setting_back(zone: Tz, instant: DateTime<Utc>) -> Option<NaiveDateTime> {
    let wall = instant.with_timezone(&zone).naive_local();
    let later = instant.checked_add_signed(TimeDelta::days(1))?;
    let moved = later.with_timezone(&zone).naive_local() - wall - TimeDelta::days(1);
    wall.checked_add_signed(moved.min(TimeDelta::zero()))
}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cron").field(&self.text).finish()
    }
}
