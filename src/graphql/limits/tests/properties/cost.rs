//! Compares the counted cost of lists with the number of objects that they would really return.

use async_graphql::Variables;
use async_graphql::parser::parse_query;
use proptest::prelude::*;

use super::super::super::cost;
use super::super::super::fragments::Fragments;
use super::super::shape;

/// A selection: written as text with fragments, and evaluated without them.
#[derive(Clone, Debug)]
enum Tree {
    Leaf,
    /// `members`, with an explicit page size or the default one.
    Page(Option<usize>, Vec<Tree>),
    /// `organization { workspaces }`: a connection, with its nodes or edges, or only counted.
    Connection(Option<usize>, bool, Vec<Tree>),
    /// `subjects`, an unbounded list.
    List(Vec<Tree>),
    /// More selections, in a fragment of their own.
    Fragment(Vec<Tree>),
    /// More selections, in an inline fragment.
    Inline(Vec<Tree>),
}

fn tree() -> impl Strategy<Value = Tree> {
    let size = || prop_oneof![Just(None), (1..=100_usize).prop_map(Some)];
    Just(Tree::Leaf).prop_recursive(4, 16, 3, move |inner| {
        let set = || prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            (size(), set()).prop_map(|(size, set)| Tree::Page(size, set)),
            (size(), any::<bool>(), set())
                .prop_map(|(size, is_counted, set)| Tree::Connection(size, is_counted, set)),
            set().prop_map(Tree::List),
            set().prop_map(Tree::Fragment),
            set().prop_map(Tree::Inline),
        ]
    })
}

/// Writes a selection on a workspace. Fragments are appended to `fragments`.
fn write(set: &[Tree], text: &mut String, fragments: &mut String, count: &mut usize) {
    let page = |size: &Option<usize>| match size {
        Some(size) => format!("(first: {size})"),
        None => String::new(),
    };
    for tree in set {
        match tree {
            Tree::Leaf => text.push_str("id "),
            Tree::Page(size, set) => {
                *text += &format!("members{} {{ id ... on Workspace {{ ", page(size));
                write(set, text, fragments, count);
                text.push_str("} } ");
            }
            Tree::Connection(size, is_counted, set) => {
                *text += &format!("organization {{ workspaces{} {{ totalCount ", page(size));
                if !is_counted {
                    text.push_str("nodes { ");
                    write(set, text, fragments, count);
                    text.push_str("} ");
                }
                text.push_str("} } ");
            }
            Tree::List(set) => {
                text.push_str("subjects { ... on Workspace { ");
                write(set, text, fragments, count);
                text.push_str("} } ");
            }
            Tree::Fragment(set) => {
                *count += 1;
                let name = format!("F{count}");
                *text += &format!("...{name} ");
                let mut inside = String::new();
                write(set, &mut inside, fragments, count);
                *fragments += &format!("fragment {name} on Workspace {{ {inside}}} ");
            }
            Tree::Inline(set) => {
                text.push_str("... on Workspace { ");
                write(set, text, fragments, count);
                text.push_str("} ");
            }
        }
    }
}

/// Returns how many objects a selection returns if all its lists are full, counting one by one. A
/// list that contains no other lists counts its own objects alone.
fn make(set: &[Tree]) -> usize {
    let list = |size: usize, set: &[Tree]| (0..size).map(|_| make(set).max(1)).sum::<usize>();
    set.iter()
        .map(|tree| match tree {
            Tree::Leaf => 0,
            Tree::Page(size, set) => list(size.unwrap_or(20), set),
            Tree::Connection(size, true, _) => size.unwrap_or(20),
            Tree::Connection(size, false, set) => list(size.unwrap_or(20), set),
            Tree::List(set) => list(unpaged(set), set),
            Tree::Fragment(set) | Tree::Inline(set) => make(set),
        })
        .sum()
}

/// Returns the size that a list without pages counts as.
fn unpaged(set: &[Tree]) -> usize {
    let has_lists = set.iter().any(|tree| match tree {
        Tree::Leaf => false,
        Tree::Fragment(set) | Tree::Inline(set) => unpaged(set) > 20,
        Tree::Page(..) | Tree::Connection(..) | Tree::List(_) => true,
    });
    if has_lists { 100 } else { 20 }
}

/// Estimates how long [`make`] takes.
fn effort(set: &[Tree]) -> usize {
    let inside = |tree: &Tree| match tree {
        Tree::Leaf | Tree::Connection(_, true, _) => 1,
        Tree::Page(size, set) | Tree::Connection(size, false, set) => {
            size.unwrap_or(20).saturating_mul(effort(set))
        }
        Tree::List(set) => unpaged(set).saturating_mul(effort(set)),
        Tree::Fragment(set) | Tree::Inline(set) => effort(set),
    };
    set.iter().map(inside).fold(1, usize::saturating_add)
}

proptest! {
    #[test]
    fn lists_cost_what_they_may_give(set in prop::collection::vec(tree(), 1..4)) {
        if effort(&set) > 100_000 {
            return Ok(());
        }
        let (mut text, mut fragments) = (String::new(), String::new());
        write(&set, &mut text, &mut fragments, &mut 0);
        let text = format!("{{ node(id: 1) {{ ... on Workspace {{ {text} }} }} }} {fragments}");
        let document = parse_query(&text).unwrap();
        let found = Fragments::of(&document).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let cost = cost::of(&shape(), &found, &operation.node, &Variables::default());
        prop_assert_eq!(cost.objects, make(&set), "{}", text);
    }
}
