//! How much work each payer may ask of the server per minute.
//!
//! Other limits bound how much exists, and are counted in the database. This one bounds the work of an
//! instance, so each instance counts for itself, in memory. A budget refills evenly and continuously:
//! only the amount spent and the time of the last charge are stored.

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::time::Duration;

use async_graphql::{Response, Value};
use moka::ops::compute::Op;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use serde_json::json;

use super::client::{Client, accountable};
use super::operation::failed;
use crate::auth::Viewer;
use crate::db::types::Instant;
use crate::error::Error;
use crate::graphql::is_invalid;
use crate::id::UserId;

/// How many payers are remembered. A payer who is evicted has the whole budget again.
const REMEMBERED: u64 = 50_000;

/// How long a whole budget takes to refill.
const MINUTE: Duration = Duration::from_secs(60);

/// A minute in microseconds, and the number of parts in a cost of 1: so a whole number of parts refills
/// per microsecond.
const PARTS: u64 = 60_000_000;

/// Who is charged for an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Payer {
    /// A person, however they signed in.
    Viewer(UserId),
    /// Everybody without credentials at an address (IPv4) or in a network (IPv6).
    Address(IpAddr),
}

impl Payer {
    /// The viewer or, if nobody is signed in, the address that the request comes from.
    pub fn of(viewer: Option<&Viewer>, Client(address): Client) -> Self {
        match viewer {
            Some(viewer) => Self::Viewer(viewer.id()),
            None => Self::Address(accountable(address)),
        }
    }
}

/// The budgets of all payers, if operations are charged at all.
pub struct Budgets(Option<Accounts>);

struct Accounts {
    per_minute: u32,
    of: Cache<Payer, Account>,
}

/// What a payer had spent as of `at`, in parts, less what had refilled by then.
#[derive(Clone, Copy)]
struct Account {
    spent: u64,
    at: Instant,
}

impl Account {
    /// What remains spent at `now`, if `per_minute` parts refill per microsecond.
    fn spent_at(self, now: Instant, per_minute: u32) -> u64 {
        let passed = u64::try_from(now.since(self.at).as_micros()).unwrap_or(u64::MAX);
        let back = passed.saturating_mul(per_minute.into());
        self.spent.saturating_sub(back)
    }
}

impl Budgets {
    /// Budgets of `per_minute` each, or no limit if `None`.
    pub fn new(per_minute: Option<u32>) -> Self {
        Self(per_minute.map(|per_minute| {
            Accounts {
                per_minute,
                of: Cache::builder()
                    .max_capacity(REMEMBERED)
                    // With the default policy, a new payer might not be remembered at all.
                    .eviction_policy(EvictionPolicy::lru())
                    // The budget is full again by then.
                    .time_to_idle(MINUTE)
                    .build(),
            }
        }))
    }

    /// Charges the cost, capped at the whole budget, if that much is left.
    pub fn charge(&self, payer: Payer, cost: u32, now: Instant) -> Charge<'_> {
        Charge(
            self.0
                .as_ref()
                .map(|accounts| accounts.charge(payer, cost, now)),
        )
    }
}

impl Accounts {
    fn charge(&self, payer: Payer, cost: u32, now: Instant) -> Entry<'_> {
        let whole = u64::from(self.per_minute) * PARTS;
        let asked = u64::from(cost.min(self.per_minute)) * PARTS;
        let (mut spent, mut wait) = (0, None);
        self.of.entry(payer).and_compute_with(|account| {
            spent = account.map_or(0, |account| {
                account.into_value().spent_at(now, self.per_minute)
            });
            let missing = (spent + asked).saturating_sub(whole);
            if missing > 0 {
                let micros = missing.div_ceil(self.per_minute.into());
                wait = Some(Duration::from_micros(micros));
                return Op::Nop;
            }
            spent += asked;
            Op::Put(Account { spent, at: now })
        });
        Entry {
            accounts: self,
            payer,
            cost,
            asked,
            remaining: (whole - spent) / PARTS,
            wait,
        }
    }

    fn give_back(&self, payer: Payer, parts: u64) {
        self.of.entry(payer).and_compute_with(|account| {
            account.map_or(Op::Nop, |account| {
                let Account { spent, at } = account.into_value();
                let spent = spent.saturating_sub(parts);
                Op::Put(Account { spent, at })
            })
        });
    }
}

/// The outcome of charging an operation.
pub struct Charge<'a>(Option<Entry<'a>>);

struct Entry<'a> {
    accounts: &'a Accounts,
    payer: Payer,
    cost: u32,
    /// The parts charged, unless there is a `wait`.
    asked: u64,
    /// What was left afterwards, in whole units of cost.
    remaining: u64,
    /// How long until enough is left, if there was too little.
    wait: Option<Duration>,
}

impl Charge<'_> {
    /// The response to an operation that was not charged because too little was left.
    pub fn refusal(&self) -> Option<Response> {
        let entry = self.0.as_ref()?;
        let mut response = failed(Error::RateLimited(entry.wait?));
        entry.tell(&mut response);
        Some(response)
    }

    /// Adds to the response what the operation cost. If it turned out to be invalid and was not run,
    /// returns the charge instead.
    pub fn settle(&self, response: &mut Response) {
        let Some(entry) = &self.0 else {
            return;
        };
        if is_invalid(response) {
            self.give_back();
        } else {
            entry.tell(response);
        }
    }

    /// Returns the charge to the payer.
    pub fn give_back(&self) {
        if let Some(entry) = &self.0 {
            entry.accounts.give_back(entry.payer, entry.asked);
        }
    }
}

impl Entry<'_> {
    fn tell(&self, response: &mut Response) {
        let budget = json!({
            "perMinute": self.accounts.per_minute,
            "remaining": self.remaining,
        });
        let cost = json!({ "requested": self.cost, "budget": budget });
        // Every JSON value is a GraphQL value.
        let cost = Value::from_json(cost).unwrap_or_default();
        response.extensions.insert("cost".to_owned(), cost);
    }
}
