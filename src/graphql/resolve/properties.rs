//! Property tests: any document is answered as async-graphql would answer it.

use async_graphql::{
    Context, EmptyMutation, EmptySubscription, Interface, Object, PathSegment, Response, Result,
    Schema, ValidationMode,
};
use proptest::prelude::*;
use tokio::runtime::Builder;
use tokio::task::yield_now;

use super::*;
use crate::graphql::error::located;

/// An object with this many levels of its own kind below it.
#[derive(Clone, Copy)]
struct Quick(u8);

/// Like [`Quick`], but resolved by async-graphql.
#[derive(Clone, Copy)]
struct Slow(u8);

/// The interfaces that they implement.
#[derive(Interface)]
#[graphql(name = "Level", field(name = "level", ty = "u8"))]
enum QuickLevel {
    Quick(Quick),
}

#[derive(Interface)]
#[graphql(name = "Level", field(name = "level", ty = "u8"))]
enum SlowLevel {
    Slow(Slow),
}

/// Fails at the lowest level, with the path as the message.
fn fails(level: u8, ctx: &Context<'_>) -> Result<u8> {
    match level {
        0 => Err(ctx.path_node.unwrap().to_string().into()),
        level => Ok(level),
    }
}

macro_rules! thing {
    ($thing:ident, $one:ty, $many:ty, $wrap:expr) => {
        impl $thing {
            fn below(self) -> $thing {
                $thing(self.0.saturating_sub(1))
            }

            fn all_below(self) -> $many {
                (0..self.0).map($thing).collect()
            }
        }

        #[Object(name = "Thing")]
        impl $thing {
            async fn level(&self) -> u8 {
                self.0
            }

            async fn late(&self) -> u8 {
                yield_now().await;
                self.0
            }

            fn fails(&self, ctx: &Context<'_>) -> Result<u8> {
                fails(self.0, ctx)
            }

            async fn late_fails(&self, ctx: &Context<'_>) -> Result<u8> {
                yield_now().await;
                fails(self.0, ctx)
            }

            fn one(&self) -> $one {
                $wrap(self.below())
            }

            async fn late_one(&self) -> Option<$one> {
                yield_now().await;
                Some($wrap(self.below()))
            }

            fn many(&self) -> $many {
                self.all_below()
            }

            async fn late_many(&self) -> Option<$many> {
                yield_now().await;
                Some(self.all_below())
            }
        }
    };
}

thing!(Quick, One<Quick>, Many<Quick>, One);
thing!(Slow, Slow, Vec<Slow>, std::convert::identity);

/// A part of a selection of a `Thing`; the same field may be selected in several places.
fn part() -> impl Strategy<Value = String> {
    const PLAIN: [&str; 8] = [
        "level",
        "late",
        "a: level",
        "fails",
        "lateFails",
        "__typename",
        "late @skip(if: true)",
        "...Part",
    ];
    const WITH_MORE: [&str; 8] = [
        "one",
        "b: one",
        "lateOne",
        "many",
        "lateMany",
        "... on Thing",
        "... on Level",
        "... @include(if: true)",
    ];
    let plain = prop::sample::select(&PLAIN[..]).prop_map(str::to_owned);
    plain.prop_recursive(4, 32, 4, |part| {
        let parts = prop::collection::vec(part, 1..5);
        (prop::sample::select(&WITH_MORE[..]), parts)
            .prop_map(|(of, parts)| format!("{of} {{ {} }}", parts.join(" ")))
    })
}

/// Returns the response to a document, with `things` as the root.
fn answer<T: ObjectType + 'static, I: OutputType>(things: T, document: &str) -> Response {
    let schema = Schema::build(things, EmptyMutation, EmptySubscription)
        .register_output_type::<I>()
        // Fast, because this mode accepts unused fragments.
        .validation_mode(ValidationMode::Fast)
        .finish();
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(schema.execute(document))
}

/// Formats a path as async-graphql does.
fn written(path: &[PathSegment]) -> String {
    let steps = path.iter().map(|step| match step {
        PathSegment::Field(name) => name.clone(),
        PathSegment::Index(index) => index.to_string(),
    });
    steps.collect::<Vec<_>>().join(".")
}

proptest! {
    #[test]
    fn a_document_is_answered_as_async_graphql_would(parts in prop::collection::vec(part(), 1..5)) {
        let fragment = "fragment Part on Thing { late many { level } one { fails } }";
        let document = format!("{{ many {{ {} }} }} {fragment}", parts.join(" "));
        let quick = answer::<_, QuickLevel>(Quick(3), &document);
        let slow = answer::<_, SlowLevel>(Slow(3), &document);
        let json = |response: &Response| serde_json::to_string(&response.data).unwrap();
        prop_assert_eq!(json(&quick), json(&slow));
        prop_assert_eq!(quick.errors.is_empty(), slow.errors.is_empty());
        for error in &quick.errors {
            prop_assert_eq!(&written(&located(error).unwrap().path), &error.message);
        }
    }
}
