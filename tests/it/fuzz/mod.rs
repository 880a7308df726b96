//! Random requests made from the schema and sent over HTTP, signed in as people with data.
//!
//! Whatever is sent, the server does not fail: no reply is a 5xx, each is well-formed and in time, each
//! error has a promised code that does not stand for a failure, and what was refused changed nothing.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `FUZZ_CASES` | number of requests to each database | 300 |
//! | `FUZZ_SEED` | seed of the first round | 1 |
//! | `RUST_LOG` | what the server logs, which says why it failed | nothing |
//!
//! Requests are sent in rounds, each with its own server, database and seed. A failure does not end
//! the run; it reports the request and the seed of its round, which repeats the round as `FUZZ_SEED`.
//! Ids and times are new in each run, but the choices are the same.

mod damage;
mod documents;
mod model;
mod pool;
mod shot;
mod values;
mod verdict;
mod world;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

use fastrand::Rng;
use futures_util::future::join_all;
use rstest::rstest;
use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;

use crate::support::{Database, Postgres, Sqlite, TestServer};
use documents::Draft;
use model::Model;
use pool::Pool;
use shot::Shot;
use verdict::{PATIENCE, Reply, is_refused};
use world::World;

/// Requests to one server.
const ROUND: u64 = 2_000;

/// Failures after which the run stops, since there is nothing more to learn.
const ENOUGH: usize = 20;

/// Requests after which there are new people, since the old ones may have lost everything.
const GENERATION: u64 = 400;

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn no_request_makes_the_server_fail(#[values(Sqlite, Postgres)] on: Database) {
    if let Ok(filter) = EnvFilter::try_from_default_env() {
        // The test on the other database may have set one already.
        let _ = tracing_subscriber::fmt().with_env_filter(filter).try_init();
    }
    let number = |name: &str, unless: u64| match std::env::var(name) {
        Ok(text) => text.parse().expect("a number"),
        Err(_) => unless,
    };
    let (cases, seed) = (number("FUZZ_CASES", 300), number("FUZZ_SEED", 1));
    let model = Model::read();
    let mut tally = Tally::default();
    let begun = Instant::now();
    for round in 0..cases.div_ceil(ROUND) {
        let most = ROUND.min(cases - round * ROUND);
        let round = Round::new(on, &model, seed + round).await;
        round.run(most, &mut tally).await;
    }
    println!("{on:?}, {:?}: {tally}", begun.elapsed());
    let failures = tally.failures.join("\n\n");
    assert!(failures.is_empty(), "{failures}");
    // Requests that are all refused at the door would find nothing.
    assert!(tally.answered * 5 > tally.sent, "{tally}");
    assert!(tally.by_code.len() > 4, "{tally}");
}

/// Counts the outcomes of requests.
#[derive(Default)]
struct Tally {
    sent: u64,
    answered: u64,
    by_code: BTreeMap<String, u64>,
    /// How often each root field returned something.
    by_field: BTreeMap<String, u64>,
    failures: Vec<String>,
}

impl Tally {
    fn count(&mut self, reply: &Value) {
        self.sent += 1;
        let fields = reply["data"].as_object().into_iter().flatten();
        for (alias, _) in fields.filter(|(_, value)| !value.is_null()) {
            let name = alias.split("_n").next().unwrap_or_default();
            *self.by_field.entry(name.to_owned()).or_default() += 1;
        }
        match reply["errors"].as_array() {
            Some(errors) => {
                let code = errors[0]["extensions"]["code"].as_str().unwrap_or_default();
                *self.by_code.entry(code.to_owned()).or_default() += 1;
            }
            None => self.answered += u64::from(reply["data"].is_object()),
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            sent,
            answered,
            by_code,
            by_field,
            ..
        } = self;
        write!(
            f,
            "{sent} sent, {answered} answered, {by_code:?}, {by_field:?}"
        )
    }
}

/// A series of requests to one server.
struct Round<'a> {
    on: Database,
    model: &'a Model,
    seed: u64,
    rng: Rng,
    server: TestServer,
    pool: Pool,
    world: World,
}

impl<'a> Round<'a> {
    async fn new(on: Database, model: &'a Model, seed: u64) -> Self {
        let server = world::server(on).await;
        let mut pool = Pool::default();
        Self {
            on,
            model,
            seed,
            rng: Rng::with_seed(seed),
            world: World::new(&server, 0, &mut pool).await,
            server,
            pool,
        }
    }

    async fn run(mut self, cases: u64, tally: &mut Tally) {
        let (mut case, mut generation) = (0, 0);
        while case < cases && tally.failures.len() < ENOUGH {
            if case / GENERATION > generation {
                generation = case / GENERATION;
                self.pool = Pool::default();
                self.world = World::new(&self.server, generation as usize, &mut self.pool).await;
            }
            // Now and then several at once, with nothing to compare before and after.
            let replies = if self.rng.u8(..60) == 0 {
                let shots: Vec<_> = (0..self.rng.usize(2..6)).map(|_| self.shot()).collect();
                let sent = shots
                    .iter()
                    .map(|(shot, token)| self.send(shot, token.as_deref()));
                join_all(sent).await
            } else {
                let (shot, token) = self.shot();
                vec![self.send_alone(&shot, token.as_deref()).await]
            };
            case += replies.len() as u64;
            for reply in replies {
                match reply {
                    Ok(reply) => {
                        tally.count(&reply);
                        self.pool.keep(&reply["data"], "");
                    }
                    Err(failure) => tally.failures.push(failure),
                }
            }
        }
        let last = self.server.user("last@example.com");
        last.ok("{ viewer { id } }", json!({})).await;
    }

    /// A random request, and the token to send it with.
    fn shot(&mut self) -> (Shot, Option<String>) {
        let token = match self.rng.u8(..100) {
            0 => Some(values::text(&mut self.rng).replace(|c: char| !c.is_ascii_graphic(), "x")),
            _ => self.world.token(&mut self.rng).map(str::to_owned),
        };
        let shot = if self.rng.u8(..40) == 0 {
            Shot::elsewhere(&self.pool, &mut self.rng)
        } else {
            let operation = Draft::new(self.model, &self.pool, &mut self.rng).operation();
            Shot::of(operation, &mut self.rng)
        };
        (shot, token)
    }

    /// Sends a request while there is no other, and checks that it changes nothing if it is refused.
    async fn send_alone(&self, shot: &Shot, token: Option<&str>) -> Result<Value, String> {
        let document = shot.document.as_deref();
        if !document.is_some_and(|document| document.contains("mutation")) {
            return self.send(shot, token).await;
        }
        let before = world::fingerprint(&self.server).await;
        let reply = self.send(shot, token).await?;
        if is_refused(&reply, document) {
            let after = world::fingerprint(&self.server).await;
            if before != after {
                let wrong = format!("it was refused and changed {before} to {after}: {reply}");
                return Err(self.failure(shot, &wrong));
            }
        }
        Ok(reply)
    }

    /// Sends a request, and returns the reply's JSON, or what is wrong with it.
    async fn send(&self, shot: &Shot, token: Option<&str>) -> Result<Value, String> {
        let url = format!("{}{}", self.server.url(), shot.path);
        let mut request = self.server.http().request(shot.method.clone(), url);
        for (name, value) in &shot.headers {
            request = request.header(*name, value);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let begun = Instant::now();
        let exchange = async {
            let response = request.body(shot.body.clone()).send().await;
            let response = response.map_err(|error| error.without_url().to_string())?;
            Reply::read(response, shot.may_subscribe()).await
        };
        let reply = tokio::time::timeout(PATIENCE * 4, exchange).await;
        let reply = reply.unwrap_or_else(|_| Err("there is no reply".to_owned()));
        let reply = reply.map_err(|wrong| self.failure(shot, &wrong))?;
        if begun.elapsed() > PATIENCE {
            return Err(self.failure(shot, &format!("it took {:?}", begun.elapsed())));
        }
        reply.judge(self.model, shot.is_graphql()).map_err(|wrong| {
            let body = String::from_utf8_lossy(&reply.body);
            self.failure(shot, &format!("{wrong}: {} {body:.2000}", reply.status))
        })
    }

    /// Describes a failure with everything needed to reproduce it.
    fn failure(&self, shot: &Shot, wrong: &str) -> String {
        format!(
            "{wrong}\non {:?} with FUZZ_SEED={}\n{} {:.3000} {:?}\n{:.6000}",
            self.on,
            self.seed,
            shot.method,
            shot.path,
            shot.headers,
            String::from_utf8_lossy(&shot.body)
        )
    }
}
