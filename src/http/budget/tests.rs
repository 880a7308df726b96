use std::net::Ipv4Addr;
use std::thread;

use chrono::TimeDelta;

use super::*;

fn start() -> Instant {
    Instant::from_micros(1_750_000_000_000_000).unwrap()
}

fn payer(number: u32) -> Payer {
    Payer::Address(Ipv4Addr::from_bits(number).into())
}

/// Charges `cost`, and returns what is left, or how many microseconds to wait.
fn charge(budgets: &Budgets, cost: u32, now: Instant) -> Result<u64, u128> {
    let Charge(entry) = budgets.charge(payer(1), cost, now);
    let entry = entry.unwrap();
    entry
        .wait
        .map_or(Ok(entry.remaining), |wait| Err(wait.as_micros()))
}

#[test]
fn it_comes_back_to_the_microsecond() {
    let budgets = Budgets::new(Some(7));
    let now = start();
    assert_eq!(charge(&budgets, 7, now), Ok(0));
    let one = 60_000_000_u128.div_ceil(7);
    assert_eq!(charge(&budgets, 1, now), Err(one));
    let after = |micros| now.plus(TimeDelta::microseconds(micros));
    assert_eq!(charge(&budgets, 1, after(8_571_428)), Err(1));
    assert_eq!(charge(&budgets, 1, after(8_571_429)), Ok(0));
    // Rounding up the wait does not lose budget for good.
    assert_eq!(charge(&budgets, 6, after(60_000_000)), Ok(0));
    // The budget does not grow beyond its full size.
    assert_eq!(charge(&budgets, 1, after(600_000_000)), Ok(6));
}

#[test]
fn the_bounds_of_numbers_are_far() {
    let budgets = Budgets::new(Some(u32::MAX));
    let most = u64::from(u32::MAX);
    assert_eq!(charge(&budgets, u32::MAX, start()), Ok(0));
    assert_eq!(charge(&budgets, u32::MAX, start()), Err(60_000_000));
    assert_eq!(charge(&budgets, 1, Instant::MAX), Ok(most - 1));
    // A clock that is set back neither refills nor takes anything.
    assert_eq!(charge(&budgets, 1, Instant::MIN), Ok(most - 2));
}

#[test]
fn what_costs_more_than_all_takes_all() {
    let budgets = Budgets::new(Some(10));
    assert_eq!(charge(&budgets, 1, start()), Ok(9));
    assert_eq!(charge(&budgets, 500, start()), Err(6_000_000));
    let later = start().plus(TimeDelta::seconds(6));
    assert_eq!(charge(&budgets, 500, later), Ok(0));
    assert_eq!(charge(&budgets, 1, later), Err(6_000_000));
}

#[test]
fn racing_charges_overshoot_nothing() {
    let budgets = Budgets::new(Some(100));
    let charged = thread::scope(|scope| {
        let charges: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    (0..50)
                        .filter(|_| charge(&budgets, 1, start()).is_ok())
                        .count()
                })
            })
            .collect();
        let counts = charges.into_iter().map(|charges| charges.join().unwrap());
        counts.sum::<usize>()
    });
    assert_eq!(charged, 100);
}

#[test]
fn no_more_payers_are_remembered_than_that() {
    let budgets = Budgets::new(Some(10));
    for number in 0..60_000 {
        budgets.charge(payer(number), 1, start());
    }
    let accounts = &budgets.0.as_ref().unwrap().of;
    accounts.run_pending_tasks();
    assert_eq!(accounts.entry_count(), REMEMBERED);
    // The most recent payers are remembered.
    assert!(accounts.contains_key(&payer(59_999)) && !accounts.contains_key(&payer(0)));
}

#[test]
fn without_a_budget_nothing_is_said() {
    let budgets = Budgets::new(None);
    let charge = budgets.charge(payer(1), u32::MAX, start());
    assert!(charge.refusal().is_none());
    let mut response = Response::new("data");
    charge.settle(&mut response);
    assert!(response.extensions.is_empty());
}
