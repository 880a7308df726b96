//! How much each viewer may have the server do in a minute.
//!
//! Other limits bound what there is, and are counted in the database. This one bounds the work of an
//! instance, so that each counts for itself, in memory. A budget comes back evenly and all the time: what
//! is kept of it is how much was spent, and when that was.

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

/// How many payers are remembered; who was forgotten has the whole budget again.
const REMEMBERED: u64 = 50_000;

/// How long it takes for a whole budget to come back.
const MINUTE: Duration = Duration::from_secs(60);

/// The same in microseconds, and so the parts of which a cost of 1 has as many: what comes back in a
/// microsecond is a whole number of them.
const PARTS: u64 = 60_000_000;

/// To whom what an operation costs is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Payer {
    /// A person, whatever they sign in with.
    Viewer(UserId),
    /// Everybody there who has no credentials.
    Address(IpAddr),
}

impl Payer {
    /// The viewer or, where nobody is signed in, where the request comes from.
    pub fn of(viewer: Option<&Viewer>, Client(address): Client) -> Self {
        match viewer {
            Some(viewer) => Self::Viewer(viewer.id()),
            None => Self::Address(accountable(address)),
        }
    }
}

/// The budgets of all payers, if there are any.
pub struct Budgets(Option<Accounts>);

struct Accounts {
    per_minute: u32,
    of: Cache<Payer, Account>,
}

/// What somebody had spent at a time, in parts, without what had come back by then.
#[derive(Clone, Copy)]
struct Account {
    spent: u64,
    at: Instant,
}

impl Account {
    /// What is still spent at `now`, when that many parts come back in a microsecond.
    fn spent_at(self, now: Instant, per_minute: u32) -> u64 {
        let passed = u64::try_from(now.since(self.at).as_micros()).unwrap_or(u64::MAX);
        let back = passed.saturating_mul(per_minute.into());
        self.spent.saturating_sub(back)
    }
}

impl Budgets {
    /// Budgets of that much, or none.
    pub fn new(per_minute: Option<u32>) -> Self {
        Self(per_minute.map(|per_minute| {
            Accounts {
                per_minute,
                of: Cache::builder()
                    .max_capacity(REMEMBERED)
                    // Otherwise, whoever comes for the first time might not be remembered at all.
                    .eviction_policy(EvictionPolicy::lru())
                    // By then the budget is whole again.
                    .time_to_idle(MINUTE)
                    .build(),
            }
        }))
    }

    /// Charges that much, or the whole budget where it is less, if as much is left.
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

/// What came of charging an operation.
pub struct Charge<'a>(Option<Entry<'a>>);

struct Entry<'a> {
    accounts: &'a Accounts,
    payer: Payer,
    cost: u32,
    /// What was charged unless there is a wait, in parts.
    asked: u64,
    /// What was left afterwards.
    remaining: u64,
    /// How long until there is enough, if there is not.
    wait: Option<Duration>,
}

impl Charge<'_> {
    /// The response to an operation for which too little was left, and nothing was charged.
    pub fn refusal(&self) -> Option<Response> {
        let entry = self.0.as_ref()?;
        let mut response = failed(Error::RateLimited(entry.wait?));
        entry.tell(&mut response);
        Some(response)
    }

    /// Has the response say what the operation cost; where it turned out that the operation could not
    /// be run, gives that back instead.
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

    /// Takes the charge back.
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
        // Every JSON value is one of GraphQL's.
        let cost = Value::from_json(cost).unwrap_or_default();
        response.extensions.insert("cost".to_owned(), cost);
    }
}
