use std::collections::HashSet;

use proptest::prelude::*;

use super::super::slug::{Slug, SlugBase};
use super::{text, with_case};

fn name() -> impl Strategy<Value = String> {
    const WORDS: [&str; 12] = [
        "admin",
        "Me",
        "www",
        "new",
        "null",
        "a",
        "-",
        "Ada's",
        "字",
        "Ünïcode",
        "🦀",
        "x",
    ];
    let words = prop::collection::vec(prop::sample::select(&WORDS[..]), 0..12);
    prop_oneof![
        text(),
        words.prop_map(|words| words.join(" ")),
        "[a-zA-Z0-9 _-]{0,80}",
    ]
}

proptest! {
    #[test]
    fn slugs_of_any_name_are_good_and_all_different(name in name(), far in any::<u64>()) {
        let base = SlugBase::from_name(&name, "workspace");
        // Excludes the words alone, which may end with a number themselves.
        let numbered: Vec<Slug> = (2..=12).map(|n| base.numbered(n)).collect();
        for slug in numbered.iter().chain([&base.numbered(1), &base.numbered(far)]) {
            // Accepted unchanged as someone's own choice.
            prop_assert_eq!(Slug::parse(slug.as_str()), Ok(slug.clone()));
        }
        let different: HashSet<_> = numbered.iter().map(Slug::as_str).collect();
        prop_assert_eq!(different.len(), numbered.len());
    }

    #[test]
    fn the_slug_of_a_slug_is_itself(name in name()) {
        let slug = SlugBase::from_name(&name, "organization").numbered(1);
        prop_assert_eq!(SlugBase::from_name(slug.as_str(), "workspace").numbered(1), slug.clone());
        prop_assert_eq!(SlugBase::from(slug.clone()).numbered(1), slug);
    }

    #[test]
    fn what_is_taken_is_a_slug_in_its_normal_form(
        text in prop_oneof![name(), "[a-zA-Z0-9-]{0,60}"], raised in any::<u64>(),
    ) {
        if let Ok(slug) = Slug::parse(&text) {
            let written = slug.as_str();
            prop_assert!((2..=50).contains(&written.len()));
            for word in written.split('-') {
                let is_plain = word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
                prop_assert!(is_plain && !word.is_empty());
            }
            prop_assert_eq!(Slug::parse(written), Ok(slug.clone()));
            prop_assert_eq!(Slug::parse(&format!(" {} ", with_case(written, raised))), Ok(slug));
        }
    }
}
