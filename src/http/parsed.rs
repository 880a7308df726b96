//! Cache of parsed documents: clients send the same few again and again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition};
use bytes::Bytes;
use moka::sync::Cache;

use super::refusal::Refusal;
use crate::graphql::{limits, repeated_input_field, unescape};

/// How many bytes of parsed documents are kept, by estimate.
const MOST_KEPT: u64 = 8 * 1024 * 1024;
/// The estimated size of a parsed document, per byte of its text.
const GROWTH: usize = 20;
/// The approximate overhead of keeping a document, in bytes.
const OVERHEAD: usize = 512;
/// How many bytes of answers on the schema are kept.
const MOST_ANSWERS: u64 = 4 * 1024 * 1024;

/// A parsed document, with what was found out about it.
#[derive(Debug)]
pub struct Parsed {
    key: Key,
    document: ExecutableDocument,
    is_valid: AtomicBool,
    /// The cost of running the operation, if it is always the same.
    cost: OnceLock<u32>,
}

impl Parsed {
    /// The document.
    pub fn document(&self) -> &ExecutableDocument {
        &self.document
    }

    /// Marks the document as valid.
    pub fn found_valid(&self) {
        self.is_valid.store(true, Ordering::Relaxed);
    }

    /// The cost of running the operation, as computed by `look`. It is computed once, unless variables
    /// can matter: a valid document uses no variables that it does not declare.
    pub fn cost<E>(
        &self,
        operation: &OperationDefinition,
        look: impl FnOnce() -> Result<u32, E>,
    ) -> Result<u32, E> {
        if !operation.variable_definitions.is_empty() || !self.is_valid() {
            return look();
        }
        match self.cost.get() {
            Some(cost) => Ok(*cost),
            None => look().map(|cost| *self.cost.get_or_init(|| cost)),
        }
    }

    /// Whether the document was found valid, and need not be validated again. The values of variables
    /// are checked each time.
    pub fn is_valid(&self) -> bool {
        self.is_valid.load(Ordering::Relaxed)
    }
}

/// A document's text, and the name of the operation to run: validation checks only that operation of a
/// document against the variables.
type Key = (Arc<str>, Option<String>);

/// The most recently parsed documents, and answers on the schema, which are the same for everybody.
pub struct ParsedDocuments {
    documents: Cache<Key, Arc<Parsed>>,
    answers: Cache<Key, Bytes>,
}

impl Default for ParsedDocuments {
    fn default() -> Self {
        // A name may be as long as a body, whether or not such an operation exists.
        let named = |(_, name): &Key| name.as_ref().map_or(0, String::len);
        let weigh = |bytes: usize| u32::try_from(bytes + OVERHEAD).unwrap_or(u32::MAX);
        let documents = Cache::builder()
            .max_capacity(MOST_KEPT)
            .weigher(move |key: &Key, _: &Arc<Parsed>| weigh(GROWTH * key.0.len() + named(key)));
        let answers = Cache::builder().max_capacity(MOST_ANSWERS).weigher(
            move |key: &Key, answer: &Bytes| weigh(key.0.len() + named(key) + answer.len()),
        );
        Self {
            documents: documents.build(),
            answers: answers.build(),
        }
    }
}

impl ParsedDocuments {
    /// Returns the parsed document of that text, from the cache if possible.
    ///
    /// # Errors
    /// It is too large to be parsed, cannot be parsed, or gives a field of an input object twice.
    pub fn parse(
        &self,
        text: &Arc<str>,
        operation_name: Option<&str>,
    ) -> Result<Arc<Parsed>, Refusal> {
        let key = (text.clone(), operation_name.map(str::to_owned));
        if let Some(parsed) = self.documents.get(&key) {
            return Ok(parsed);
        }
        let parsed = Arc::new(Parsed {
            key: key.clone(),
            document: parse(text)?,
            is_valid: AtomicBool::new(false),
            cost: OnceLock::new(),
        });
        self.documents.insert(key, parsed.clone());
        Ok(parsed)
    }

    /// The cached answer to a document on the schema, if there is one.
    pub fn answer(&self, parsed: &Parsed) -> Option<Bytes> {
        self.answers.get(&parsed.key)
    }

    /// Caches the answer to a document that queries only the schema.
    pub fn keep_answer(&self, parsed: &Parsed, answer: Bytes) {
        self.answers.insert(parsed.key.clone(), answer);
    }
}

fn parse(text: &str) -> Result<ExecutableDocument, Refusal> {
    limits::check_text(text)?;
    let document = parse_query(unescape(text)?)?;
    match repeated_input_field(text)? {
        Some(misfit) => Err(misfit.into()),
        None => Ok(document),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often the cost is computed in three requests for a valid document.
    fn looks(definitions: &str) -> usize {
        let text = format!("query{definitions} {{ viewer {{ id }} }}").into();
        let parsed = ParsedDocuments::default().parse(&text, None);
        let parsed = parsed.expect("it can be parsed");
        let (_, operation) = parsed.document().operations.iter().next().expect("one");
        let mut looks = 0;
        let mut cost = || {
            let found: Result<u32, ()> = parsed.cost(&operation.node, || {
                looks += 1;
                Ok(7)
            });
            assert_eq!(found, Ok(7));
        };
        // The document is not known to be valid yet.
        cost();
        parsed.found_valid();
        cost();
        cost();
        looks
    }

    #[test]
    fn the_cost_is_looked_for_again_only_where_variables_have_a_say() {
        assert_eq!(looks(""), 2);
        assert_eq!(looks("($size: Int)"), 3);
    }
}
