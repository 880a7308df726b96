//! How close together the runs of a pattern can be.

use chrono::{Datelike, NaiveDate};
use croner::{Cron, CronPattern, Weekday};

const MINUTES_IN_DAY: u32 = 24 * 60;

/// Two following years of any lengths, that begin with any day of the week, are found among these:
/// after 28 years without a turn of the century, the calendar repeats itself.
const FIRST_YEAR: i32 = 2000;
const LAST_YEAR: i32 = 2029;

/// Days that stand for more than a year.
const LONG: u32 = 1_000;

/// The fewest minutes between two runs, by a clock that is never changed; `None` where it never
/// runs. It is right up to a year: what lies further apart is told as some longer time.
pub fn shortest(cron: &Cron) -> Option<u32> {
    let pattern = &cron.pattern;
    let days = fewest_days(pattern)?;
    let times = times(pattern);
    let (first, last) = (times.first()?, times.last()?);
    let over_night = days * MINUTES_IN_DAY + first - last;
    let in_a_day = times.windows(2).map(|pair| pair[1] - pair[0]).min();
    Some(in_a_day.map_or(over_night, |minutes| minutes.min(over_night)))
}

/// The times of a day at which it runs, in minutes from midnight, in order.
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

/// The fewest days from one on which it runs to the next, as far as the calendar is looked at;
/// `None` where there is no such day.
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
    // Neither fails for a day that there is.
    pattern.month_match(day.month()).unwrap_or(false)
        && pattern
            .day_match(day.year(), day.month(), day.day(), weekday)
            .unwrap_or(false)
}
