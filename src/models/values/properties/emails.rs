use proptest::prelude::*;

use super::super::email::Email;
use super::{text, with_case};

fn almost() -> impl Strategy<Value = String> {
    prop_oneof![
        (text(), text()).prop_map(|(local, domain)| format!("{local}@{domain}")),
        ("[!#$%&'*+/=?^_`{|}~.a-zA-Z0-9-]{1,12}", "\\PC{1,12}")
            .prop_map(|(local, domain)| format!("{local}@{domain}")),
        text(),
    ]
}

proptest! {
    #[test]
    fn what_is_taken_is_an_address_in_its_one_normal_form(text in almost()) {
        if let Ok(email) = Email::parse(&text) {
            let address = email.as_str();
            prop_assert!(address.is_ascii() && address.len() <= 254);
            prop_assert!(!address.bytes().any(|b| b.is_ascii_uppercase() || b.is_ascii_whitespace()));
            prop_assert!(!address.bytes().any(|b| b.is_ascii_control() || b == b'<' || b == b'>'));
            prop_assert_eq!(address.matches('@').count(), 1);
            prop_assert_eq!(Email::parse(address), Ok(email));
        }
    }

    #[test]
    fn case_and_space_do_not_matter(
        address in "[!#$%&'*+/=?^_`{|}~.a-z0-9-]{1,20}@([a-z0-9]{1,8}\\.){0,3}[a-z0-9]{1,8}",
        raised in any::<u64>(),
        space in "[ \t\n\u{3000}]{0,3}",
    ) {
        let written = format!("{space}{}{space}", with_case(&address, raised));
        prop_assert_eq!(Email::parse(&written).map(String::from), Ok(address));
    }
}
