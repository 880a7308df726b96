//! Compares what is counted of fragments without expanding them with expanding them.

use proptest::prelude::*;

use super::super::{ask, told};
use crate::graphql::limits::{
    MAX_ALIASES, MAX_DEPTH, MAX_DIRECTIVES, MAX_FIELDS, MAX_NESTING, grouped,
};

/// The maximum number of fields that are counted one by one.
const PATIENCE: usize = 60_000;

#[derive(Clone, Debug)]
enum Item {
    Field {
        arguments: usize,
        set: Vec<Item>,
    },
    Typename,
    Introspection(Vec<Item>),
    Inline {
        directives: usize,
        set: Vec<Item>,
    },
    /// The fragment this many further on, up to the last.
    Spread(usize),
}

/// An operation, and fragments each of which only spreads later ones.
#[derive(Clone, Debug)]
struct Document {
    operation: Vec<Item>,
    fragments: Vec<Vec<Item>>,
}

fn item() -> impl Strategy<Value = Item> {
    let leaf = prop_oneof![
        4 => (0..3_usize).prop_map(|arguments| Item::Field { arguments, set: Vec::new() }),
        1 => Just(Item::Typename),
        3 => (1..4_usize).prop_map(Item::Spread),
    ];
    leaf.prop_recursive(5, 12, 3, |inner| {
        let set = prop::collection::vec(inner, 1..4);
        prop_oneof![
            4 => (0..2_usize, set.clone()).prop_map(|(arguments, set)| Item::Field { arguments, set }),
            2 => (0..25_usize, set.clone()).prop_map(|(directives, set)| Item::Inline { directives, set }),
            1 => set.prop_map(Item::Introspection),
        ]
    })
}

fn document() -> impl Strategy<Value = Document> {
    let sets = |most| prop::collection::vec(prop::collection::vec(item(), 1..5), 0..most);
    (prop::collection::vec(item(), 1..6), sets(14)).prop_map(|(operation, fragments)| Document {
        operation,
        fragments,
    })
}

impl Document {
    /// Returns the number of the fragment that a definition spreads, if there is one.
    fn spread(&self, from: usize, further: usize) -> Option<usize> {
        let number = (from + further).min(self.fragments.len());
        (number > from).then_some(number)
    }

    fn write(&self) -> String {
        let mut text = String::new();
        self.write_set(&self.operation, 0, &mut text);
        for (at, set) in self.fragments.iter().enumerate() {
            text += &format!(" fragment F{} on T ", at + 1);
            self.write_set(set, at + 1, &mut text);
        }
        text
    }

    fn write_set(&self, set: &[Item], from: usize, text: &mut String) {
        text.push_str("{ ");
        for item in set {
            match item {
                Item::Field { arguments, set } => {
                    text.push_str("field");
                    if *arguments > 0 {
                        let arguments: Vec<_> =
                            (0..*arguments).map(|n| format!("x{n}: 1")).collect();
                        *text += &format!("({})", arguments.join(" "));
                    }
                    text.push(' ');
                    if !set.is_empty() {
                        self.write_set(set, from, text);
                    }
                }
                Item::Typename => text.push_str("__typename "),
                Item::Introspection(set) => {
                    text.push_str("__schema ");
                    self.write_set(set, from, text);
                }
                Item::Inline { directives, set } => {
                    text.push_str("... ");
                    text.push_str(&"@d ".repeat(*directives));
                    self.write_set(set, from, text);
                }
                Item::Spread(further) => match self.spread(from, *further) {
                    Some(number) => *text += &format!("...F{number} "),
                    None => text.push_str("leaf "),
                },
            }
        }
        text.push_str("} ");
    }

    /// Walks a set, expanding fragments.
    fn walk(&self, set: &[Item], from: usize, place: Place, seen: &mut Seen) {
        let place = Place {
            nesting: place.nesting + 1,
            ..place
        };
        seen.nesting = seen.nesting.max(place.nesting);
        for item in set {
            if seen.fields > PATIENCE {
                return;
            }
            match item {
                Item::Field { set, .. } => {
                    let below = seen.field(place, !place.is_introspected);
                    if !set.is_empty() {
                        self.walk(set, from, below, seen);
                    }
                }
                Item::Typename => {
                    seen.field(place, false);
                }
                Item::Introspection(set) => {
                    let below = seen.field(place, false);
                    let below = Place {
                        is_introspected: true,
                        ..below
                    };
                    self.walk(set, from, below, seen);
                }
                Item::Inline { directives, set } => {
                    seen.directives = seen.directives.max(*directives);
                    self.walk(set, from, place, seen);
                }
                Item::Spread(further) => match self.spread(from, *further) {
                    Some(number) => {
                        self.walk(&self.fragments[number - 1], number, place, seen);
                    }
                    None => {
                        seen.field(place, !place.is_introspected);
                    }
                },
            }
        }
    }

    /// Collects the fragments that a set spreads.
    fn spreads(&self, set: &[Item], from: usize, found: &mut Vec<usize>) {
        for item in set {
            match item {
                Item::Field { set, .. } | Item::Introspection(set) | Item::Inline { set, .. } => {
                    self.spreads(set, from, found);
                }
                Item::Typename => {}
                Item::Spread(further) => found.extend(self.spread(from, *further)),
            }
        }
    }

    fn carry_out(&self) -> Seen {
        let mut seen = Seen::default();
        self.walk(&self.operation, 0, Place::default(), &mut seen);
        let mut spread = Vec::new();
        self.spreads(&self.operation, 0, &mut spread);
        for (at, set) in self.fragments.iter().enumerate() {
            self.spreads(set, at + 1, &mut spread);
        }
        for (at, set) in self.fragments.iter().enumerate() {
            if !spread.contains(&(at + 1)) {
                self.walk(set, at + 1, Place::default(), &mut seen);
            }
        }
        seen
    }
}

/// The place of a selection set.
#[derive(Clone, Copy, Default)]
struct Place {
    depth: usize,
    nesting: usize,
    is_introspected: bool,
}

/// The totals of a document.
#[derive(Default, Debug)]
struct Seen {
    fields: usize,
    depth: usize,
    nesting: usize,
    directives: usize,
}

impl Seen {
    fn field(&mut self, place: Place, has_depth: bool) -> Place {
        self.fields += 1;
        let depth = place.depth + usize::from(has_depth);
        self.depth = self.depth.max(depth);
        Place { depth, ..place }
    }
}

proptest! {
    #[test]
    fn a_document_comes_to_what_carrying_it_out_comes_to(document in document()) {
        let text = document.write();
        let seen = document.carry_out();
        let told = told(ask(&text));
        if seen.fields > PATIENCE {
            prop_assert!(told.contains("fields once its fragments are expanded"), "{}", told);
        } else if seen.fields > MAX_FIELDS {
            let expected = format!("asks for {} fields", grouped(seen.fields));
            prop_assert!(told.contains(&expected), "{} and not {}", told, expected);
        } else if seen.depth > MAX_DEPTH {
            let expected = format!("is nested {} levels deep;", seen.depth);
            prop_assert!(told.contains(&expected), "{} and not {}", told, expected);
        } else if seen.nesting > MAX_NESTING {
            let expected = format!("is nested {} levels deep, counting fragments;", seen.nesting);
            prop_assert!(told.contains(&expected), "{} and not {}", told, expected);
        } else if seen.directives > MAX_DIRECTIVES {
            let expected = format!("has {} directives", seen.directives);
            prop_assert!(told.contains(&expected), "{} and not {}", told, expected);
        } else {
            // What the validator would compare has a bound of its own.
            prop_assert!(told.is_empty() || told.contains("to compare"), "{} for {:?}", told, seen);
        }
    }

    #[test]
    fn aliases_are_counted_wherever_they_are(
        names in prop::collection::vec((0..60_u32, 0..3_u32), 1..90),
    ) {
        let mut text = String::new();
        let mut different: Vec<_> = names.iter().map(|(name, _)| name).collect();
        for (name, place) in &names {
            text += &match place {
                0 => format!("a{name}: id "),
                1 => format!("... {{ a{name}: id }} "),
                _ => format!("... on Root @d {{ a{name}: id id }} "),
            };
        }
        different.sort();
        different.dedup();
        let told = told(ask(&format!("{{ {text} }}")));
        if different.len() > MAX_ALIASES {
            let expected = format!("Root.id has {} aliases", different.len());
            prop_assert!(told.contains(&expected), "{} and not {}", told, expected);
        } else {
            prop_assert_eq!(told, "");
        }
    }
}
