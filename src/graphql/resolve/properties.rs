//! What holds of every document, tried with any: it is answered as async-graphql would.

use async_graphql::{
    EmptyMutation, EmptySubscription, Object, PathSegment, Response, Result, Schema, ValidationMode,
};
use proptest::prelude::*;

use super::*;
use crate::graphql::error::located;

/// An object that has more of its kind, so many levels down.
#[derive(Clone, Copy)]
struct Quick(u8);

/// The same, resolved by async-graphql.
#[derive(Clone, Copy)]
struct Slow(u8);

async fn wait() {
    tokio::task::yield_now().await;
}

macro_rules! thing {
    ($thing:ident, $one:ty, $many:ty, $wrap:expr) => {
        #[Object(name = "Thing")]
        impl $thing {
            fn level(&self) -> u8 {
                self.0
            }

            async fn late(&self) -> u8 {
                wait().await;
                self.0
            }

            /// Fails at the bottom, where it may not be `null`.
            fn fails(&self) -> Result<u8> {
                match self.0 {
                    0 => Err("it is at the bottom".into()),
                    level => Ok(level),
                }
            }

            async fn one(&self) -> $one {
                $wrap($thing(self.0.saturating_sub(1)))
            }

            async fn late_one(&self) -> Option<$one> {
                wait().await;
                Some($wrap($thing(self.0.saturating_sub(1))))
            }

            async fn many(&self) -> $many {
                (0..self.0).map($thing).collect()
            }

            async fn late_many(&self) -> Option<$many> {
                wait().await;
                Some((0..self.0).map($thing).collect())
            }
        }
    };
}

thing!(Quick, One<Quick>, Many<Quick>, One);
thing!(Slow, Slow, Vec<Slow>, std::convert::identity);

/// Part of a selection of a `Thing`; the same may be selected in several places.
fn part() -> impl Strategy<Value = String> {
    const PLAIN: [&str; 7] = [
        "level",
        "late",
        "a: level",
        "fails",
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
        "...",
        "... on Thing",
        "... @include(if: true)",
    ];
    let plain = prop::sample::select(&PLAIN[..]).prop_map(str::to_owned);
    plain.prop_recursive(4, 32, 4, |part| {
        let parts = prop::collection::vec(part, 1..5);
        (prop::sample::select(&WITH_MORE[..]), parts)
            .prop_map(|(of, parts)| format!("{of} {{ {} }}", parts.join(" ")))
    })
}

/// What a document is answered, of things of three levels.
async fn answer<T: ObjectType + 'static>(things: T, document: &str) -> Response {
    let schema = Schema::build(things, EmptyMutation, EmptySubscription);
    // Nor does it mind a fragment that is not used.
    let schema = schema.validation_mode(ValidationMode::Fast).finish();
    schema.execute(document).await
}

proptest! {
    #[test]
    fn a_document_is_answered_as_async_graphql_would(parts in prop::collection::vec(part(), 1..5)) {
        let fragment = "fragment Part on Thing { late many { level } one { fails } }";
        let document = format!("{{ many {{ {} }} }} {fragment}", parts.join(" "));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let quick = runtime.block_on(answer(Quick(3), &document));
        let slow = runtime.block_on(answer(Slow(3), &document));
        let json = |response: &Response| serde_json::to_string(&response.data).unwrap();
        prop_assert_eq!(json(&quick), json(&slow));
        prop_assert_eq!(quick.errors.is_empty(), slow.errors.is_empty());
        for error in &quick.errors {
            let path = &located(error).unwrap().path;
            prop_assert_eq!(path.last(), Some(&PathSegment::Field("fails".into())));
        }
    }
}
