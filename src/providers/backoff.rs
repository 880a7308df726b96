//! How long to wait before calling a provider again.

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The pause after the first try. Doubles with each further one.
const BASE: Duration = Duration::from_millis(500);

/// The longest pause that a provider can ask for.
const LONGEST: Duration = Duration::from_secs(60);

/// Returns the pause after `tries` tries, 1 or more: what the provider asked for, up to a minute, or
/// else a growing pause with jitter of a quarter, so that calls that failed together are not repeated
/// together.
pub(super) fn pause(tries: u32, asked: Option<Duration>) -> Duration {
    asked.map_or_else(
        || (BASE * 2_u32.pow(tries - 1)).mul_f64(jitter()),
        |asked| asked.min(LONGEST),
    )
}

/// Returns a random factor from 0.75 to 1.25.
fn jitter() -> f64 {
    // Without a source of randomness, all calls wait equally long.
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    0.75 + 0.5 * f64::from(random) / f64::from(u32::MAX)
}

/// Returns the pause that a response asks for in [`Retry-After`], in seconds or until a date. `None` if
/// the header is missing or malformed.
///
/// [`Retry-After`]: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
pub(super) fn asked_for(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that overflows is longer than anybody waits.
        return Some(text.parse().map_or(LONGEST, Duration::from_secs));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    // A date in the past means now.
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("0", Some(0))]
    #[case("7", Some(7))]
    #[case(" 7 ", Some(7))]
    #[case("3600", Some(3_600))]
    #[case("99999999999999999999999", Some(60))]
    #[case("Sun, 06 Nov 1994 08:49:37 GMT", Some(30))]
    #[case("Sunday, 06-Nov-94 08:49:37 GMT", Some(30))]
    #[case("Sun Nov  6 08:49:37 1994", Some(30))]
    #[case("Sun, 06 Nov 1994 08:40:00 GMT", Some(0))]
    #[case("", None)]
    #[case("-1", None)]
    #[case("1.5", None)]
    #[case("soon", None)]
    fn retry_after_is_seconds_or_a_date(#[case] header: &str, #[case] seconds: Option<u64>) {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:07 GMT").unwrap();
        let headers = HeaderMap::from_iter([(RETRY_AFTER, header.parse().unwrap())]);
        assert_eq!(
            asked_for(&headers, now),
            seconds.map(Duration::from_secs),
            "{header}"
        );
        assert_eq!(asked_for(&HeaderMap::new(), now), None);
    }

    #[test]
    fn pauses_grow_and_differ() {
        for _ in 0..100 {
            let (first, second) = (pause(1, None), pause(2, None));
            assert!((375..=625).contains(&first.as_millis()), "{first:?}");
            assert!((750..=1_250).contains(&second.as_millis()), "{second:?}");
        }
        let several: std::collections::BTreeSet<_> = (0..20).map(|_| pause(1, None)).collect();
        assert!(several.len() > 1);
    }

    #[test]
    fn what_the_provider_asks_for_is_honoured_up_to_a_minute() {
        let seconds = Duration::from_secs;
        assert_eq!(pause(1, Some(Duration::ZERO)), Duration::ZERO);
        assert_eq!(pause(2, Some(seconds(7))), seconds(7));
        assert_eq!(pause(1, Some(seconds(3_600))), seconds(60));
    }
}
