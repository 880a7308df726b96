//! The shortest interval between the runs of a pattern.

use chrono::{Datelike, NaiveDate};
use croner::{Cron, CronPattern, Weekday};

const MINUTES_IN_DAY: u32 = 24 * 60;

/// These years include any two consecutive years, by their lengths and first days of the week: as long
/// as no century skips a leap year, the calendar repeats every 28 years.
const FIRST_YEAR: i32 = 2000;
const LAST_YEAR: i32 = 2029;

/// A number of days that stands for anything longer than a year.
const LONG: u32 = 1_000;

/// Returns the fewest minutes between two runs, ignoring changes of the clock; `None` if the pattern
/// never runs. Exact up to a year; a longer interval is returned as some time longer than a year.
pub fn shortest(cron: &Cron) -> Option<u32> {
    let pattern = &cron.pattern;
    let days = fewest_days(pattern)?;
    let times = times(pattern);
    let (first, last) = (times.first()?, times.last()?);
    let over_night = days * MINUTES_IN_DAY + first - last;
    let in_a_day = times.windows(2).map(|pair| pair[1] - pair[0]).min();
    Some(in_a_day.map_or(over_night, |minutes| minutes.min(over_night)))
}

/// Returns the times of the day at which the pattern runs, in minutes from midnight, in order.
fn times(pattern: &CronPattern) -> Vec<u32> {
    let minutes = pattern.minutes.values();
    let hours = pattern.hours.values().into_iter();
    hours
        .flat_map(|hour| {
            let in_hour = |minute: &u16| u32::from(hour) * 60 + u32::from(*minute);
            minutes.iter().map(in_hour).collect::<Vec<_>>()
        })
        .collect()
}

/// Returns the fewest days between two days on which the pattern runs, within the calendar above; `None`
/// if there is no such day.
fn fewest_days(pattern: &CronPattern) -> Option<u32> {
    let begin = NaiveDate::from_yo_opt(FIRST_YEAR, 1)?;
    let calendar = begin.iter_days().take_while(|day| day.year() <= LAST_YEAR);
    let mut days = (0_u32..)
        .zip(calendar)
        .filter(|(_, day)| runs_on(pattern, *day))
        .map(|(number, _)| number);
    let mut previous = days.next()?;
    let mut fewest = LONG;
    for day in days {
        fewest = fewest.min(day - previous);
        previous = day;
        if fewest == 1 {
            break;
        }
    }
    Some(fewest)
}

fn runs_on(pattern: &CronPattern, day: NaiveDate) -> bool {
    let weekday = Weekday::from_days_from_sunday(day.weekday().num_days_from_sunday());
    // Neither fails for a valid date.
    pattern.month_match(day.month()).unwrap_or(false)
        && pattern
            .day_match(day.year(), day.month(), day.day(), weekday)
            .unwrap_or(false)
}
