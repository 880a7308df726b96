//! The bounds of the numbers in the configuration.

use std::ops::RangeInclusive;

const ONE_HOUR: i128 = 60 * 60;
const ONE_YEAR_IN_MINUTES: i128 = 365 * 24 * 60;
const A_CENTURY_IN_DAYS: i128 = 36_500;

/// Returns the bounds of the number at `key`; its type may bound it further.
///
/// Every number is a count or a duration, so 0 is refused everywhere but for the port, where it means
/// any free one. The upper bounds keep arithmetic on times far from overflowing, and catch a mistaken
/// unit (milliseconds for seconds).
pub(super) fn of(key: &str) -> RangeInclusive<i128> {
    match key {
        "http.port" => 0..=i128::from(u16::MAX),
        "http.max_body_bytes" => 1..=1 << 30,
        "http.max_connections" | "http.max_connections_per_address" => 1..=1_000_000,
        "http.request_timeout_seconds"
        | "http.header_timeout_seconds"
        | "http.body_timeout_seconds"
        | "http.keep_alive_seconds"
        | "http.drain_seconds"
        | "database.statement_timeout_seconds"
        | "limits.run_lease_seconds" => 1..=ONE_HOUR,
        "database.acquire_timeout_ms" => 1..=60_000,
        "database.max_connections" | "database.readers" => 1..=1_000,
        "providers.concurrency" => 1..=10_000,
        "telemetry.sample_one_in" => 1..=1_000_000,
        "limits.min_schedule_interval_minutes" => 1..=ONE_YEAR_IN_MINUTES,
        "limits.invitation_days" | "limits.purge_days" | "limits.run_days" => 1..=A_CENTURY_IN_DAYS,
        _ if key.starts_with("plans.") && key.ends_with(".trial_days") => 1..=A_CENTURY_IN_DAYS,
        _ if key.starts_with("providers.") && key.ends_with(".timeout_seconds") => 1..=ONE_HOUR,
        _ if key.starts_with("providers.") && key.ends_with(".concurrency") => 1..=1_000,
        _ => 1..=i128::MAX,
    }
}
