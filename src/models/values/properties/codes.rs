use proptest::prelude::*;

use super::super::join_code::JoinCode;
use super::{text, with_case};

proptest! {
    #[test]
    fn a_code_is_read_however_it_is_written(
        random in any::<[u8; 8]>(),
        raised in any::<u64>(),
        separators in prop::collection::vec((0_usize..15, "[-–‑ \u{a0}\t]"), 0..5),
    ) {
        let code = JoinCode::generate(random);
        let mut written: Vec<char> = with_case(&code.to_string().to_lowercase(), raised)
            .chars()
            .collect();
        for (at, separator) in separators {
            written.splice(at..at, separator.chars());
        }
        let written: String = written.into_iter().collect();
        prop_assert_eq!(JoinCode::parse(&written), Ok(code));
    }

    #[test]
    fn whatever_is_taken_is_a_code(text in text()) {
        if let Ok(code) = JoinCode::parse(&text) {
            prop_assert_eq!(code.as_str().len(), 12);
            prop_assert!(code.as_str().bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()));
            prop_assert_eq!(JoinCode::parse(&code.to_string()), Ok(code));
        }
    }
}
