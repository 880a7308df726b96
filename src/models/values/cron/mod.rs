//! When a schedule runs: a pattern as in [crontab(5)], read on the clock of a time zone.
//!
//! `croner` reads the fields and walks the calendar. It is more generous than crontab(5) about what
//! a pattern may be, and has other rules for the days on which the clock changes, so [`field`] and
//! [`Cron::next_after`] see to these.
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

/// The longest pattern there is, in bytes: twice what it takes to list all that each field allows.
const MAX_BYTES: usize = 1_000;

const SHAPE: &str = "must be five fields as in crontab(5), such as 0 0 * * *";

/// A pattern of five fields: minute, hour, day of the month, month, day of the week.
///
/// Where neither of the fields for days contains a `*`, a day that matches either will do; else it
/// must match both. Its text is kept as it was written, but for white space.
#[derive(Clone)]
pub struct Cron {
    text: String,
    pattern: croner::Cron,
    /// Whether the hours follow the clock on the wall, and are no times set for something.
    follows_clock: bool,
}

impl Cron {
    /// Takes a pattern that runs at some time, and at most once in `min_interval_minutes` minutes
    /// (up to a year) by a clock that is never changed.
    pub fn parse(text: &str, min_interval_minutes: u32) -> Result<Self, Invalid> {
        let cron = Self::read(text)?;
        match interval::shortest(&cron.pattern) {
            None => Err("must not ask for a day that never comes".into()),
            Some(minutes) if minutes < min_interval_minutes => Err(format!(
                "must leave at least {min_interval_minutes} minutes between two runs"
            )
            .into()),
            Some(_) => Ok(cron),
        }
    }

    /// A pattern that was let in before, whatever the least interval may be by now.
    ///
    /// # Errors
    /// It is not one.
    pub fn stored(text: &str) -> anyhow::Result<Self> {
        Self::read(text).map_err(|invalid| anyhow::anyhow!("the pattern of a schedule {invalid}"))
    }

    fn read(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.len() > MAX_BYTES {
            return Err(format!("must be at most {MAX_BYTES} characters long").into());
        }
        if text.starts_with('@') {
            return Err("must spell its five fields out: there are no nicknames".into());
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

    /// The pattern, as it is stored.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first time after `after`, by the clock of the zone, that it matches.
    ///
    /// Where the clock is set forward, the times that it skips come all at once when it has been;
    /// where it is set back, the times that it repeats come the first time only. Not so where the
    /// hours are all of them, or have a step: such a pattern follows the clock, so that it leaves
    /// out what the clock leaves out, and repeats what it repeats.
    ///
    /// `None` where that lies after the year 4999.
    pub fn next_after(&self, Zone(zone): Zone, after: Instant) -> Option<Instant> {
        let after = after.to_utc();
        let mut wall = before_setting_back(zone, after)?;
        // The first instants of the times on the wall are in the order of these. Only a later
        // instant of an earlier time can come before the one that ends the search.
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

/// A time on the wall before every one that is still to come, be it for the second time: what the
/// clock shows, less what it will be set back by within a day.
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
