//! Numbers that look random but are computed: row `k` of a table depends on the seed and `k` alone, so
//! that nothing has to be remembered, and a row can be computed again wherever another one refers to it.

use std::ops::Range;

use uuid::{Builder, Uuid};

use crate::db::types::Instant;

/// What numbers are drawn for. Each purpose has its own sequence.
#[derive(Clone, Copy)]
#[repr(u64)]
#[allow(missing_docs, reason = "each is named by what it is for")]
pub enum For {
    User = 1,
    Organization,
    Member,
    Workspace,
    WorkspaceMember,
    Invitation,
    Prompt,
    Run,
    Answer,
    Event,
    JoinCode,
    UserName,
    OrganizationName,
    WorkspaceName,
    PromptText,
    AnswerText,
    Arguments,
}

/// The finalizer of SplitMix64, which gives the same numbers on every platform and in every version.
pub fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Sequences of numbers with random access.
#[derive(Clone, Copy)]
pub struct Draw(u64);

impl Draw {
    /// Returns the sequences of a seed.
    pub fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// Returns the `k`th number.
    pub fn number(self, of: For, k: u64) -> u64 {
        mix(mix(self.0 ^ (of as u64) << 56) ^ k)
    }

    /// Returns the `k`th number of an endless sequence in which all numbers below `size`, a power of
    /// two, occur once before any repeats, and how often it has occurred before.
    pub fn shuffled(self, of: For, k: u64, size: u64) -> (u64, u64) {
        let start = self.number(of, u64::MAX);
        // Multiplying by an odd factor permutes the numbers below a power of two.
        let factor = (start >> 32) | 1;
        let index = k.wrapping_mul(factor).wrapping_add(start) & (size - 1);
        (index, k / size)
    }

    /// Returns a UUIDv7 of that time. Ids of the same kind and time are ordered by the low 40 bits of
    /// `k`.
    pub fn id(self, of: For, at: Instant, k: u64) -> Uuid {
        let millis = u64::try_from(at.micros() / 1_000).unwrap_or_default();
        let noise = self.number(of, k) & ((1 << 34) - 1);
        // 74 bits: 12 before the variant, 62 after it.
        let rest = u128::from(k & ((1 << 40) - 1)) << 34 | u128::from(noise);
        let mut random = [0; 10];
        random[..2].copy_from_slice(&((rest >> 62) as u16).to_be_bytes());
        random[2..].copy_from_slice(&((rest as u64) & (u64::MAX >> 2)).to_be_bytes());
        Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

/// Returns the share of parent `p` when `items` are distributed over `parents`, in order and as evenly
/// as possible.
pub fn share(p: u64, items: u64, parents: u64) -> Range<u64> {
    let start = |p: u64| {
        let start = u128::from(p) * u128::from(items) / u128::from(parents.max(1));
        // At most `items`.
        start as u64
    };
    start(p)..start(p + 1)
}

/// Returns the parent whose share contains item `k`.
pub fn parent(k: u64, items: u64, parents: u64) -> u64 {
    let above = u128::from(k + 1) * u128::from(parents);
    // Less than `parents`.
    ((above - 1) / u128::from(items.max(1))) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_in_the_share_of_its_parent() {
        for (items, parents) in [(1, 1), (7, 3), (3, 7), (100, 9), (9, 100)] {
            let shares = (0..parents).flat_map(|p| share(p, items, parents));
            assert!(shares.eq(0..items), "they are dealt out once, in order");
            for k in 0..items {
                let p = parent(k, items, parents);
                assert!(share(p, items, parents).contains(&k));
            }
        }
    }

    #[test]
    fn ids_tell_their_time_and_come_in_order() {
        let at = Instant::from_micros(1_700_000_000_123_456).expect("a time");
        let draw = Draw::new(1);
        let ids: Vec<_> = [0, 1, 2, 1 << 20, 1 << 39]
            .map(|k| draw.id(For::User, at, k))
            .into();
        assert!(ids.is_sorted());
        for id in ids {
            assert_eq!(id.get_version_num(), 7);
            assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
            let (seconds, nanos) = id.get_timestamp().expect("a time").to_unix();
            assert_eq!((seconds, nanos), (1_700_000_000, 123_000_000));
        }
    }

    #[test]
    fn shuffled_numbers_come_once_each() {
        let draw = Draw::new(7);
        let mut found: Vec<_> = (0..64).map(|k| draw.shuffled(For::User, k, 64).0).collect();
        found.sort_unstable();
        assert!(found.into_iter().eq(0..64));
    }
}
