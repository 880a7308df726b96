//! Property tests of patterns in many zones, compared with a clock that is checked every minute.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;

use super::{Cron, Zone};
use crate::db::types::Instant;

/// Zones with unusual clock changes (by half an hour, at midnight, around Ramadan, by two hours, a whole
/// day skipped), and those that most people live in.
const ZONES: [&str; 24] = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "Europe/Moscow",
    "Europe/Istanbul",
    "America/New_York",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Santiago",
    "America/Havana",
    "America/Caracas",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Asia/Gaza",
    "Asia/Amman",
    "Asia/Pyongyang",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Pacific/Apia",
    "Pacific/Kwajalein",
];

/// For how many days the clock is checked.
const DAYS: i64 = 3;

/// A field: its text, and the values that it stands for.
#[derive(Clone, Debug)]
struct Field {
    text: String,
    values: BTreeSet<u32>,
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Star,
    StarStep(u32),
    One(u32),
    Range(u32, u32),
    RangeStep(u32, u32, u32),
}

fn field(min: u32, max: u32, names: &'static [&'static str]) -> impl Strategy<Value = Field> {
    let one = move || min..=max;
    let pair = move || (one(), one()).prop_map(|(a, b)| (a.min(b), a.max(b)));
    let part = prop_oneof![
        2 => (1..=max).prop_map(Part::StarStep),
        4 => one().prop_map(Part::One),
        2 => pair().prop_map(|(from, to)| Part::Range(from, to)),
        1 => (pair(), 1..=max).prop_map(|((from, to), step)| Part::RangeStep(from, to, step)),
    ];
    // A star without a step stands alone.
    let parts = prop_oneof![
        2 => Just(vec![Part::Star]),
        5 => prop::collection::vec(part.clone(), 1..2),
        3 => prop::collection::vec(part, 2..5),
    ];
    (parts, any::<bool>()).prop_map(move |(parts, is_named)| {
        let name = |value: u32| match names.get((value - min) as usize) {
            Some(name) if is_named => (*name).to_owned(),
            _ => value.to_string(),
        };
        let mut values = BTreeSet::new();
        let texts = parts.into_iter().map(|part| {
            let (from, to, step) = match part {
                Part::Star => (min, max, 1),
                Part::StarStep(step) => (min, max, step),
                Part::One(value) => (value, value, 1),
                Part::Range(from, to) => (from, to, 1),
                Part::RangeStep(from, to, step) => (from, to, step),
            };
            values.extend((from..=to).step_by(step as usize));
            match part {
                Part::Star => "*".to_owned(),
                Part::StarStep(step) => format!("*/{step}"),
                Part::One(value) => name(value),
                Part::Range(from, to) => format!("{}-{}", name(from), name(to)),
                Part::RangeStep(from, to, step) => format!("{}-{}/{step}", name(from), name(to)),
            }
        });
        let text = texts.collect::<Vec<_>>().join(",");
        Field { text, values }
    })
}

/// A pattern, evaluated without the code under test.
#[derive(Clone, Debug)]
struct Pattern {
    minute: Field,
    hour: Field,
    day: Field,
    month: Field,
    weekday: Field,
}

impl Pattern {
    fn text(&self) -> String {
        let fields = [
            &self.minute,
            &self.hour,
            &self.day,
            &self.month,
            &self.weekday,
        ];
        fields.map(|field| field.text.as_str()).join(" ")
    }

    fn follows_clock(&self) -> bool {
        self.hour.text.contains(['*', '/']) || self.hour.values.len() == 24
    }

    fn runs_at(&self, wall: NaiveDateTime) -> bool {
        let day = self.day.values.contains(&wall.day());
        let weekday = wall.weekday().num_days_from_sunday();
        let weekday = self.weekday.values.contains(&weekday)
            || weekday == 0 && self.weekday.values.contains(&7);
        let has_star = self.day.text.contains('*') || self.weekday.text.contains('*');
        self.minute.values.contains(&wall.minute())
            && self.hour.values.contains(&wall.hour())
            && self.month.values.contains(&wall.month())
            && if has_star {
                day && weekday
            } else {
                day || weekday
            }
    }

    /// Returns the minutes at which the pattern runs in the `DAYS` days from `from`, by checking the
    /// clock every minute.
    fn occurrences(&self, zone: Tz, from: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let minute = TimeDelta::minutes(1);
        let until = from + TimeDelta::days(DAYS);
        // Early enough to see every local time that the clock may repeat.
        let mut at = from - TimeDelta::days(2);
        let mut shown = at.with_timezone(&zone).naive_local() - minute;
        let mut furthest = shown;
        let mut found = Vec::new();
        while at <= until {
            let now = at.with_timezone(&zone).naive_local();
            let runs = if self.follows_clock() {
                self.runs_at(now)
            } else {
                // Times that the clock skips are due at the end of the gap; times that it repeats are
                // not due again.
                let mut skipped = shown + minute;
                let mut is_due = now > furthest && self.runs_at(now);
                while skipped < now && !is_due {
                    is_due = skipped > furthest && self.runs_at(skipped);
                    skipped += minute;
                }
                is_due
            };
            if runs && at > from {
                found.push(at);
            }
            shown = now;
            furthest = furthest.max(now);
            at += minute;
        }
        found
    }
}

const MONTHS: [&str; 12] = [
    "JAN", "feb", "Mar", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const WEEKDAYS: [&str; 7] = ["SUN", "mon", "Tue", "WED", "THU", "FRI", "SAT"];

/// A pattern that runs on most days: rarer ones reveal little in a few days.
fn pattern() -> impl Strategy<Value = Pattern> {
    let star = |field: BoxedStrategy<Field>| {
        let star = Field {
            text: "*".to_owned(),
            values: (0..=31).collect(),
        };
        prop_oneof![2 => Just(star), 1 => field]
    };
    (
        field(0, 59, &[]),
        field(0, 23, &[]),
        star(field(1, 31, &[]).boxed()),
        star(field(1, 12, &MONTHS).boxed()),
        star(field(0, 7, &WEEKDAYS).boxed()),
    )
        .prop_map(|(minute, hour, day, month, weekday)| Pattern {
            minute,
            hour,
            day,
            month,
            weekday,
        })
}

/// A zone and a time in it, often shortly before its clock changes.
fn moment() -> impl Strategy<Value = (Tz, DateTime<Utc>)> {
    let years = 1981..2046_i32;
    let zone = prop_oneof![
        3 => prop::sample::select(&ZONES[..]).prop_map(|name| name.parse::<Tz>().unwrap()),
        1 => prop::sample::select(&chrono_tz::TZ_VARIANTS[..]),
    ];
    let micros = prop_oneof![Just(0), 0..60_000_000_i64];
    (zone, years, any::<bool>(), 0..366 * 24 * 60_i64, micros).prop_map(
        |(zone, year, is_at_change, minutes, micros)| {
            let begin = DateTime::from_timestamp(0, 0)
                .unwrap()
                .with_year(year)
                .unwrap();
            let mut at = begin + TimeDelta::minutes(minutes);
            let changes = || {
                (0..365)
                    .map(|day| begin + TimeDelta::days(day))
                    .filter(|day| {
                        let shows = |at: DateTime<Utc>| {
                            at.with_timezone(&zone).naive_local() - at.naive_utc()
                        };
                        shows(*day) != shows(*day + TimeDelta::days(1))
                    })
            };
            if is_at_change {
                let changes: Vec<_> = changes().collect();
                if !changes.is_empty() {
                    let day = changes[minutes as usize % changes.len()];
                    at = day + TimeDelta::minutes(minutes % (2 * 24 * 60) - 24 * 60);
                }
            }
            (zone, at + TimeDelta::microseconds(micros))
        },
    )
}

fn to_minute(at: DateTime<Utc>) -> DateTime<Utc> {
    at.with_second(0)
        .and_then(|at| at.with_nanosecond(0))
        .unwrap()
}

proptest! {
    #[test]
    fn it_runs_when_the_clock_says_so(pattern in pattern(), (zone, from) in moment()) {
        let cron = Cron::stored(&pattern.text()).unwrap();
        let expected = pattern.occurrences(zone, to_minute(from));
        let mut at = Instant::from(from);
        // Strictly after `from`, whose own minute may match as well.
        for expected in expected.iter().filter(|it| **it > from).take(50) {
            let next = cron.next_after(Zone(zone), at);
            prop_assert_eq!(
                next.map(Instant::to_utc), Some(*expected),
                "{} in {} after {}", pattern.text(), zone, at
            );
            at = (*expected).into();
        }
        if expected.len() < 50 {
            let end = to_minute(from) + TimeDelta::days(DAYS);
            let next = cron.next_after(Zone(zone), at);
            prop_assert!(
                next.is_none_or(|next| next.to_utc() > end),
                "{} in {} after {} gives {:?}", pattern.text(), zone, at, next
            );
        }
    }

    #[test]
    fn the_next_is_strictly_later(pattern in pattern(), zone in prop::sample::select(&chrono_tz::TZ_VARIANTS[..]), micros in 0..253_402_300_799_000_000_i64) {
        let cron = Cron::stored(&pattern.text()).unwrap();
        let at = Instant::from_micros(micros).unwrap();
        if let Some(next) = cron.next_after(Zone(zone), at) {
            prop_assert!(next > at, "{} in {} after {} gives {}", pattern.text(), zone, at, next);
        }
    }

    #[test]
    fn what_runs_too_often_is_refused(pattern in pattern(), from in 0..1_500_000_000_i64) {
        let from = to_minute(DateTime::from_timestamp(from, 0).unwrap());
        let found = pattern.occurrences(Tz::UTC, from);
        let gaps = found.windows(2).map(|pair| (pair[1] - pair[0]).num_minutes());
        if let Some(least) = gaps.min() {
            let more = u32::try_from(least).unwrap() + 1;
            prop_assert!(Cron::parse(&pattern.text(), more).is_err(), "{}", pattern.text());
        }
    }

    #[test]
    fn what_runs_every_day_is_refused_for_its_least_interval_alone(minute in field(0, 59, &[]), hour in field(0, 23, &[])) {
        let every = |most: u32| Field { text: "*".to_owned(), values: (0..=most).collect() };
        let pattern = Pattern { minute, hour, day: every(31), month: every(12), weekday: every(7) };
        // Two days show all gaps.
        let found = pattern.occurrences(Tz::UTC, DateTime::from_timestamp(0, 0).unwrap());
        let gaps = found.windows(2).map(|pair| (pair[1] - pair[0]).num_minutes());
        let least = u32::try_from(gaps.min().unwrap()).unwrap();
        prop_assert!(Cron::parse(&pattern.text(), least).is_ok(), "{} {}", pattern.text(), least);
        prop_assert!(Cron::parse(&pattern.text(), least + 1).is_err(), "{} {}", pattern.text(), least);
    }

    #[test]
    fn a_pattern_is_stored_as_it_is_read(pattern in pattern(), spaces in "[ \t]{1,3}") {
        let written = pattern.text().replace(' ', &spaces);
        let cron = Cron::stored(&format!("{spaces}{written}{spaces}")).unwrap();
        prop_assert_eq!(cron.as_str(), pattern.text());
    }

    #[test]
    fn no_text_is_trouble(text in prop_oneof![
        "([0-9]{1,3}|[*/,#LW?@a-zA-Z+-]{1,3}| ){0,14}",
        "([0-9*/,-]{1,4} ){4}[0-9*/,-]{1,4}",
        any::<String>(),
    ]) {
        if let Ok(cron) = Cron::parse(&text, 1) {
            prop_assert!(Cron::stored(cron.as_str()).is_ok());
            let next = cron.next_after(Zone(Tz::UTC), Instant::MIN);
            prop_assert!(next.is_some_and(|next| next > Instant::MIN), "{}", cron.as_str());
        }
    }

    #[test]
    fn a_zone_is_read_in_any_case(zone in prop::sample::select(&chrono_tz::TZ_VARIANTS[..]), raised in any::<u64>(), text in any::<String>()) {
        let raise = |(at, c): (usize, char)| match raised >> (at % 64) & 1 {
            0 => c.to_ascii_lowercase(),
            _ => c.to_ascii_uppercase(),
        };
        let written: String = zone.name().chars().enumerate().map(raise).collect();
        prop_assert_eq!(Zone::parse(&written).map(Zone::as_str), Ok(zone.name()));
        prop_assert!(Zone::parse(&text).is_err() || text.trim().is_ascii());
    }
}
