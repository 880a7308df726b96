//! Generates the UUIDs of new ids: version 7 of [RFC 9562], ascending within a millisecond.
//!
//! A single [`ContextV7`] for the process would do if time never stepped back: it counts within a
//! millisecond, and replaces an earlier time by the latest one that it has seen. But here the time is
//! the caller's, and some callers are behind others: a transaction that read the clock before another
//! one, data written with past dates, tests with their own clocks. Each must find its own time in its
//! ids, and its ids in order, so each recently used millisecond has its own context.
//!
//! [RFC 9562]: https://www.rfc-editor.org/rfc/rfc9562#section-5.7

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use uuid::{ContextV7, Timestamp, Uuid};

/// How many milliseconds are remembered at a time, each in the slot of its remainder. A prime, so that
/// clocks set to round times do not share a slot.
const SLOTS: u64 = 251;

/// The last millisecond that fits into a UUIDv7, in the year 10889.
const LAST: i64 = (1 << 48) - 1;

struct Slot {
    /// Milliseconds since the Unix epoch.
    millis: u64,
    context: ContextV7,
}

impl Slot {
    const fn of(millis: u64) -> Self {
        Self {
            millis,
            context: ContextV7::new(),
        }
    }
}

static RECENT: Mutex<[Slot; SLOTS as usize]> = Mutex::new([const { Slot::of(0) }; SLOTS as usize]);

/// Returns a UUID with the milliseconds of `now`, greater than the last one for the same millisecond.
pub fn next(now: DateTime<Utc>) -> Uuid {
    // The clamped number is not negative, so the cast loses nothing.
    let millis = now.timestamp_millis().clamp(0, LAST) as u64;
    Uuid::new_v7(timestamp(millis))
}

fn timestamp(millis: u64) -> Timestamp {
    // Only a lack of random bytes can panic while the lock is held, which leaves the slots intact.
    let mut recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    let slot = &mut recent[(millis % SLOTS) as usize];
    if slot.millis != millis {
        *slot = Slot::of(millis);
    }
    let nanos = (millis % 1_000) as u32 * 1_000_000;
    Timestamp::from_unix(&slot.context, millis / 1_000, nanos)
}
