//! Makes the UUIDs of new ids: version 7 of [RFC 9562], in ascending order within a millisecond.
//!
//! One [`ContextV7`] for the whole process would do for a clock that never steps back: it counts
//! within a millisecond, and takes the latest time it has seen for a time before that. Here the time
//! is the caller's, and callers may be behind each other: a transaction that read the clock before
//! another one, data written with dates of the past, tests with clocks of their own. Each must find
//! its own time in the id and its own ids in order, so each of the milliseconds used lately has a
//! context to itself.
//!
//! [RFC 9562]: https://www.rfc-editor.org/rfc/rfc9562#section-5.7

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use uuid::{ContextV7, Timestamp, Uuid};

/// Milliseconds remembered at a time, each in the slot of its remainder. A prime, so that clocks
/// set to round times do not share one.
const SLOTS: u64 = 251;

/// The last millisecond for which a UUIDv7 has room, in the year 10889.
const LAST: i64 = (1 << 48) - 1;

struct Slot {
    /// Since 1970.
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

/// A UUID with the milliseconds of `now`, greater than the last one for the same millisecond.
pub fn next(now: DateTime<Utc>) -> Uuid {
    // The clamped number is not negative, so nothing is lost.
    let millis = now.timestamp_millis().clamp(0, LAST) as u64;
    Uuid::new_v7(timestamp(millis))
}

fn timestamp(millis: u64) -> Timestamp {
    // A panic while it was held can only have been for want of random bytes, and leaves it sound.
    let mut recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    let slot = &mut recent[(millis % SLOTS) as usize];
    if slot.millis != millis {
        *slot = Slot::of(millis);
    }
    let nanos = (millis % 1_000) as u32 * 1_000_000;
    Timestamp::from_unix(&slot.context, millis / 1_000, nanos)
}
