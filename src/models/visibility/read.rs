//! Reading what was counted.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use diesel::dsl::{count_star, sum};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Span;
use crate::db::Connection;
use crate::db::types::Instant;
use crate::error::Result;
use crate::id::{UserId, WorkspaceId};
use crate::models::provider::Provider;
use crate::models::workspace;
use crate::run;
use crate::schema::{answers, visibility};

/// A number of answers that did not fail, and how many of them mention the domain.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Tally {
    /// How many answers there were.
    pub answers: i64,
    /// How many of them mention the domain.
    pub mentions: i64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.answers += other.answers;
        self.mentions += other.mentions;
    }

    /// Returns the ratio of mentions to answers, from 0 to 1; `None` if there are no answers.
    pub fn rate(self) -> Option<f64> {
        // Exact up to 2⁵³.
        (self.answers > 0).then(|| self.mentions as f64 / self.answers as f64)
    }
}

/// How often the answers in a workspace mention its domain.
#[derive(Clone, Default, Debug)]
pub struct Visibility {
    /// Counts for each provider that answered.
    pub by_provider: BTreeMap<Provider, Tally>,
    /// Counts for each day in UTC with answers, if requested.
    pub by_day: BTreeMap<NaiveDate, Tally>,
}

impl Visibility {
    /// Returns the total over all providers.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.by_provider
            .values()
            .for_each(|tally| total.add(*tally));
        total
    }

    fn add(&mut self, provider: Provider, day: Option<NaiveDate>, tally: Tally) {
        self.by_provider.entry(provider).or_default().add(tally);
        if let Some(day) = day {
            self.by_day.entry(day).or_default().add(tally);
        }
    }
}

/// Returns the visibility of each given workspace that the viewer may see. Takes at most four
/// statements, however many workspaces there are.
///
/// # Errors
/// Database errors only.
pub async fn of_workspaces(
    conn: &mut Connection,
    viewer: UserId,
    ids: &[WorkspaceId],
    span: Span,
    by_day: bool,
    now: Instant,
) -> Result<HashMap<WorkspaceId, Visibility>> {
    let ids = workspace::visible_ids(conn, viewer, ids, now).await?;
    let mut found: HashMap<_, _> = ids.iter().map(|id| (*id, Visibility::default())).collect();
    let cut = span.cut();
    let mut counts = Vec::new();
    if let Some(days) = cut.days {
        counts = if by_day {
            each_day(conn, &ids, days).await?
        } else {
            all_days(conn, &ids, days).await?
        };
    }
    for part in cut.parts {
        counts.extend(part_of_day(conn, &ids, part).await?);
    }
    for (id, provider, day, tally) in counts {
        let day = day.filter(|_| by_day);
        found.entry(id).or_default().add(provider, day, tally);
    }
    Ok(found)
}

type Counted = (WorkspaceId, Provider, Option<NaiveDate>, Tally);

/// Reads the roll-up, day by day.
async fn each_day(
    conn: &mut Connection,
    ids: &[WorkspaceId],
    (from, to): (Instant, Option<Instant>),
) -> Result<Vec<Counted>> {
    let rows: Vec<(WorkspaceId, Provider, String, i32, i32)> = run!(
        conn,
        visibility::table
            .filter(visibility::workspace_id.eq_any(ids))
            .filter(visibility::day.ge(name(from)))
            .filter(visibility::day.lt(to.map_or(FOR_GOOD.to_owned(), name)))
            .select((
                visibility::workspace_id,
                visibility::provider,
                visibility::day,
                visibility::answers,
                visibility::mentions,
            ))
            .load(conn)
            .await
    )?;
    rows.into_iter()
        .map(|(id, provider, day, answers, mentions)| {
            let day = day
                .parse()
                .map_err(|error| anyhow::anyhow!("{day:?} is not a date: {error}"))?;
            let tally = Tally {
                answers: answers.into(),
                mentions: mentions.into(),
            };
            Ok((id, provider, Some(day), tally))
        })
        .collect()
}

/// Reads the roll-up, summed over all days.
async fn all_days(
    conn: &mut Connection,
    ids: &[WorkspaceId],
    (from, to): (Instant, Option<Instant>),
) -> Result<Vec<Counted>> {
    let rows: Vec<(WorkspaceId, Provider, Option<i64>, Option<i64>)> = run!(
        conn,
        visibility::table
            .filter(visibility::workspace_id.eq_any(ids))
            .filter(visibility::day.ge(name(from)))
            .filter(visibility::day.lt(to.map_or(FOR_GOOD.to_owned(), name)))
            .group_by((visibility::workspace_id, visibility::provider))
            .select((
                visibility::workspace_id,
                visibility::provider,
                sum(visibility::answers),
                sum(visibility::mentions),
            ))
            .load(conn)
            .await
    )?;
    let counted = rows.into_iter().map(|(id, provider, answers, mentions)| {
        let tally = Tally {
            answers: answers.unwrap_or(0),
            mentions: mentions.unwrap_or(0),
        };
        (id, provider, None, tally)
    });
    Ok(counted.collect())
}

/// Counts the answers themselves, because the roll-up only has whole days.
async fn part_of_day(
    conn: &mut Connection,
    ids: &[WorkspaceId],
    (from, to): (Instant, Instant),
) -> Result<Vec<Counted>> {
    let rows: Vec<(WorkspaceId, Provider, bool, i64)> = run!(
        conn,
        answers::table
            .filter(answers::workspace_id.eq_any(ids))
            .filter(answers::created_at.ge(from).and(answers::created_at.lt(to)))
            .filter(answers::text.is_not_null())
            .group_by((
                answers::workspace_id,
                answers::provider,
                answers::mentions_domain
            ))
            .select((
                answers::workspace_id,
                answers::provider,
                answers::mentions_domain,
                count_star(),
            ))
            .load(conn)
            .await
    )?;
    let day = from.to_utc().date_naive();
    let counted = rows.into_iter().map(|(id, provider, mentions, count)| {
        let tally = Tally {
            answers: count,
            mentions: if mentions { count } else { 0 },
        };
        (id, provider, Some(day), tally)
    });
    Ok(counted.collect())
}

/// Sorts after the name of every day, because all of these begin with a digit.
const FOR_GOOD: &str = "~";

/// Returns the day of an instant, as it is stored.
pub(super) fn name(day: Instant) -> String {
    day.to_utc().date_naive().to_string()
}
