//! The span of time that answers are counted in.

use chrono::TimeDelta;

use crate::db::types::Instant;
use crate::error::{Error, Result};

/// How many days are counted if no beginning is given, including the last one.
const DEFAULT_DAYS: i64 = 30;

/// A span of time, including its beginning and excluding its end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Span {
    since: Instant,
    until: Option<Instant>,
}

/// A span, cut into whole days in UTC and the parts of days at its edges.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Cut {
    /// From the beginning of one day to that of another, or open-ended.
    pub days: Option<(Instant, Option<Instant>)>,
    /// At most two parts, each within a day.
    pub parts: Vec<(Instant, Instant)>,
}

impl Span {
    /// Creates the span from `since` to `until`. Without `until`, it is open-ended. Without `since`, it
    /// covers 30 whole days in UTC, the last of which is today, or the last day before the end if that
    /// is earlier.
    ///
    /// # Errors
    /// `INVALID_INPUT` if it ends before it begins.
    pub fn new(since: Option<Instant>, until: Option<Instant>, now: Instant) -> Result<Self> {
        let last = |until: Instant| now.min(until.plus(TimeDelta::microseconds(-1)));
        let since = since.unwrap_or_else(|| {
            let today = until.map_or(now, last).to_day();
            today.plus(TimeDelta::days(1 - DEFAULT_DAYS))
        });
        if until.is_some_and(|until| until < since) {
            return Err(Error::invalid("until", "must not be before since"));
        }
        Ok(Self { since, until })
    }

    pub(super) fn cut(self) -> Cut {
        let Self { since, until } = self;
        let first = match since.to_day() {
            day if day == since => day,
            // The names of days sort by date only up to the year of `Instant::MAX`.
            day => day.plus_days(1).min(Instant::MAX.to_day()),
        };
        let mut parts = Vec::new();
        let Some(until) = until else {
            parts.push((since, first));
            parts.retain(|(from, to)| from < to);
            return Cut {
                days: Some((first, None)),
                parts,
            };
        };
        let end = until.to_day();
        if end < first {
            // Both are on the same day.
            parts.push((since, until));
        } else {
            parts.push((since, first));
            parts.push((end, until));
        }
        parts.retain(|(from, to)| from < to);
        Cut {
            days: (first < end).then_some((first, Some(end))),
            parts,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use rstest::rstest;

    use super::*;

    fn instant(text: &str) -> Instant {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc().into()
    }

    /// A day of November 2026, and an hour of it.
    type At = (u32, u32);

    fn at(day: u32, hour: u32) -> Instant {
        instant(&format!("2026-11-{day:02}T{hour:02}:00:00Z"))
    }

    #[rstest]
    #[case::whole_days((3, 0), (5, 0), Some(((3, 0), (5, 0))), &[])]
    #[case::both_cut((3, 7), (6, 9), Some(((4, 0), (6, 0))), &[((3, 7), (4, 0)), ((6, 0), (6, 9))])]
    #[case::first_cut((3, 7), (5, 0), Some(((4, 0), (5, 0))), &[((3, 7), (4, 0))])]
    #[case::last_cut((3, 0), (4, 9), Some(((3, 0), (4, 0))), &[((4, 0), (4, 9))])]
    #[case::two_parts((3, 7), (4, 9), None, &[((3, 7), (4, 0)), ((4, 0), (4, 9))])]
    #[case::within_a_day((3, 7), (3, 9), None, &[((3, 7), (3, 9))])]
    #[case::morning((3, 0), (3, 9), None, &[((3, 0), (3, 9))])]
    #[case::evening((3, 9), (4, 0), None, &[((3, 9), (4, 0))])]
    #[case::nothing((3, 9), (3, 9), None, &[])]
    #[case::nothing_at_midnight((3, 0), (3, 0), None, &[])]
    fn a_span_is_cut_into_days_and_parts(
        #[case] since: At,
        #[case] until: At,
        #[case] days: Option<(At, At)>,
        #[case] parts: &[(At, At)],
    ) {
        let at = |(day, hour): At| at(day, hour);
        let span = Span::new(Some(at(since)), Some(at(until)), at((20, 0))).unwrap();
        let expected = Cut {
            days: days.map(|(from, to)| (at(from), Some(at(to)))),
            parts: parts
                .iter()
                .map(|(from, to)| (at(*from), at(*to)))
                .collect(),
        };
        assert_eq!(span.cut(), expected);
    }

    #[test]
    fn a_span_without_an_end_is_cut_at_its_beginning() {
        let span = Span::new(Some(at(3, 7)), None, at(20, 0)).unwrap();
        let cut = span.cut();
        assert_eq!(cut.days, Some((at(4, 0), None)));
        assert_eq!(cut.parts, [(at(3, 7), at(4, 0))]);
    }

    #[rstest]
    #[case::open(None, "2026-10-24T00:00:00Z")]
    #[case::in_the_future(Some(at(30, 0)), "2026-10-24T00:00:00Z")]
    #[case::at_midnight(Some(at(10, 0)), "2026-10-11T00:00:00Z")]
    #[case::within_a_day(Some(at(10, 5)), "2026-10-12T00:00:00Z")]
    fn thirty_days_end_today_or_before_the_end(
        #[case] until: Option<Instant>,
        #[case] since: &str,
    ) {
        let span = Span::new(None, until, at(22, 13)).unwrap();
        assert_eq!(span.since, instant(since));
    }

    #[test]
    fn a_span_must_not_end_before_it_begins() {
        assert!(Span::new(Some(at(3, 1)), Some(at(3, 0)), at(20, 0)).is_err());
        assert!(Span::new(Some(Instant::MAX), Some(Instant::MIN), at(20, 0)).is_err());
        for until in [Instant::MIN, Instant::MAX] {
            let span = Span::new(None, Some(until), at(20, 0)).unwrap();
            assert!(span.cut().parts.len() <= 1);
        }
    }
}
