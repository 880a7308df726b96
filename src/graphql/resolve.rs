//! Resolves objects as async-graphql does, with two differences. A field that does not wait takes
//! no memory of its own, whereas async-graphql puts a future on the heap for each field of each
//! object. And an error keeps its whole path, which async-graphql truncates as the error leaves an
//! item of a list or a field that is not `async`.
//!
//! So every object or list of objects in a list, in a field of a `SimpleObject` or in a field that
//! is not `async` is a [`One`] or [`Many`], and so is whatever the rows of a page often select.

#[cfg(test)]
mod properties;

use std::borrow::Cow;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use async_graphql::indexmap::IndexMap;
use async_graphql::indexmap::map::Entry;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::{
    ContextSelectionSet, Name, ObjectType, OutputType, Pos, Positioned, ServerError, ServerResult,
    Value,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::error::keep_path;
use super::long::tell;

/// About the fewest bytes that a field of an object takes in the answer, its name included. Counted for all
/// lists, because the cost of a document only estimates how long those without pages are.
const VALUE: usize = 16;

/// An object.
pub struct One<T>(pub T);

/// Objects in a list.
pub struct Many<T>(pub Vec<T>);

impl<T> FromIterator<T> for Many<T> {
    fn from_iter<I: IntoIterator<Item = T>>(objects: I) -> Self {
        Self(objects.into_iter().collect())
    }
}

impl<T: ObjectType> OutputType for One<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        one(ctx, &self.0).await
    }
}

impl<T: ObjectType> OutputType for Many<T> {
    fn type_name() -> Cow<'static, str> {
        Vec::<T>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<T>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Vec::<T>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        many(ctx, &self.0, field.pos).await
    }
}

// Both are boxed, because an object's fields may lead back to an object of its type.

fn one<'a, T: ObjectType>(
    ctx: &'a ContextSelectionSet<'_>,
    one: &'a T,
) -> BoxFuture<'a, ServerResult<Value>> {
    let fields = selected::<T>(ctx);
    async move { object(ctx, &fields, one).await }.boxed()
}

fn many<'a, T: ObjectType>(
    ctx: &'a ContextSelectionSet<'_>,
    many: &'a [T],
    pos: Pos,
) -> BoxFuture<'a, ServerResult<Value>> {
    let fields = selected::<T>(ctx);
    let resolving = async move {
        tell(ctx, many.len() * fields.len() * VALUE, pos)?;
        let items = many.iter().enumerate().map(|(index, item)| {
            let fields = &fields;
            async move { object(&ctx.with_index(index), fields, item).await }
        });
        Ok(Value::List(all(items).await?))
    };
    resolving.boxed()
}

/// Returns the fields selected of a `T`, including those from fragments. The document is valid, and
/// whatever it skips has been removed already.
fn selected<'a, T: ObjectType>(ctx: &ContextSelectionSet<'a>) -> Vec<&'a Positioned<Field>> {
    let mut fields = Vec::with_capacity(ctx.item.node.items.len());
    select::<T>(ctx, ctx.item, &mut fields);
    fields
}

fn select<'a, T: ObjectType>(
    ctx: &ContextSelectionSet<'a>,
    set: &'a Positioned<SelectionSet>,
    fields: &mut Vec<&'a Positioned<Field>>,
) {
    for selection in &set.node.items {
        let (condition, set) = match &selection.node {
            Selection::Field(field) => {
                fields.push(field);
                continue;
            }
            Selection::InlineFragment(fragment) => {
                let fragment = &fragment.node;
                (fragment.type_condition.as_ref(), &fragment.selection_set)
            }
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                let Some(fragment) = ctx.query_env.fragments.get(name) else {
                    continue;
                };
                let fragment = &fragment.node;
                (Some(&fragment.type_condition), &fragment.selection_set)
            }
        };
        if condition.is_none_or(|condition| is_a::<T>(ctx, &condition.node.on.node)) {
            select::<T>(ctx, set, fields);
        }
    }
}

/// Checks whether `T` is the named type or implements the named interface.
fn is_a<T: ObjectType>(ctx: &ContextSelectionSet<'_>, name: &str) -> bool {
    let own = T::type_name();
    let interfaces = ctx.schema_env.registry.implements.get(&*own);
    own == name || interfaces.is_some_and(|interfaces| interfaces.contains(name))
}

/// Resolves these fields of an object concurrently.
async fn object<'a, T: ObjectType>(
    ctx: &ContextSelectionSet<'a>,
    fields: &[&'a Positioned<Field>],
    object: &T,
) -> ServerResult<Value> {
    let values = fields.iter().map(|field| async move {
        if field.node.name.node == "__typename" {
            return Ok(Value::String(T::type_name().into_owned()));
        }
        let value = object.resolve_field(&ctx.with_field(field)).await;
        value.map(Option::unwrap_or_default).map_err(keep_path)
    });
    let values = all(values).await?;
    let mut answer = IndexMap::with_capacity(values.len());
    for (field, value) in fields.iter().zip(values) {
        put(&mut answer, field.node.response_key().node.clone(), value);
    }
    Ok(Value::Object(answer))
}

/// Adds a field to a response, merging it with what was selected of it elsewhere.
///
/// <https://spec.graphql.org/draft/#sec-Field-Selection-Merging>
fn put(answer: &mut IndexMap<Name, Value>, key: Name, value: Value) {
    match answer.entry(key) {
        Entry::Vacant(free) => {
            free.insert(value);
        }
        Entry::Occupied(mut taken) => merge(taken.get_mut(), value),
    }
}

fn merge(into: &mut Value, other: Value) {
    match (into, other) {
        (Value::Object(into), Value::Object(other)) => {
            for (key, value) in other {
                put(into, key, value);
            }
        }
        (Value::List(into), Value::List(other)) => {
            for (into, other) in into.iter_mut().zip(other) {
                merge(into, other);
            }
        }
        _ => {}
    }
}

/// Returns the outputs of all futures in order, or the first error. The futures are polled
/// concurrently; those that are ready at once share one allocation.
async fn all<F, I>(futures: I) -> ServerResult<Vec<Value>>
where
    F: Future<Output = ServerResult<Value>> + Send,
    I: ExactSizeIterator<Item = F> + Send,
{
    let mut values = Vec::with_capacity(futures.len());
    let mut waiting = FuturesUnordered::new();
    let mut futures = futures.enumerate();
    let mut place: Option<Pin<Box<F>>> = None;
    let (ready, pending) = (&mut values, &mut waiting);
    poll_fn(move |cx| {
        for (index, future) in futures.by_ref() {
            let mut future = match place.take() {
                None => Box::pin(future),
                Some(mut place) => {
                    place.set(future);
                    place
                }
            };
            ready.push(match future.as_mut().poll(cx) {
                Poll::Ready(value) => {
                    place = Some(future);
                    value?
                }
                Poll::Pending => {
                    pending.push(future.map(move |value| (index, value)));
                    Value::Null
                }
            });
        }
        Poll::Ready(Ok::<_, ServerError>(()))
    })
    .await?;
    while let Some((index, value)) = waiting.next().await {
        values[index] = value?;
    }
    Ok(values)
}
