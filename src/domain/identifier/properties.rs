//! What holds for identifiers of every kind, whatever the value.

use proptest::prelude::*;

use super::*;

fn kind() -> impl Strategy<Value = IdentifierKind> {
    prop::sample::select(IdentifierKind::ALL)
}

/// Text that looks like identifiers more often than chance would have it.
fn value() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "\\PC{0,4}",
        any::<char>().prop_map(String::from),
        "[0-9+(). -]{1,12}",
        prop::sample::select(
            &["@", "a@b.kz", "gmail.com", "<", ">", "\"", "mailto:", "tel:", "доб.", ".0", "xn--", "8~10"][..]
        )
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn a_canonical_form_is_its_own_canonical_form(kind in kind(), raw in value(), code in "KZ|RU|DE|US") {
        let country = Country::parse(&code).unwrap();
        let (mut once, mut twice) = (String::new(), String::new());
        if let Ok(form) = canonical(kind, &raw, &country, &mut once) {
            prop_assert!(!form.is_empty());
            prop_assert_eq!(canonical(kind, form, &country, &mut twice), Ok(form));
        }
    }

    #[test]
    fn a_buffer_is_used_again_and_keeps_nothing(kind in kind(), raw in value()) {
        let country = Country::parse("KZ").unwrap();
        let (mut fresh, mut used) = (String::new(), "left over".to_owned());
        let answer = canonical(kind, &raw, &country, &mut fresh).map(str::to_owned);
        prop_assert_eq!(canonical(kind, &raw, &country, &mut used).map(str::to_owned), answer.clone());
        prop_assert_eq!(used, answer.unwrap_or_default());
    }

    #[test]
    fn invisible_characters_make_no_difference(
        email in "[a-z]{1,5}(\\+[a-z]{0,3})?@([a-z]{1,5}\\.kz|gmail\\.com|пошта\\.қаз)",
        phone in "(\\+7|8|)7[0-9]{9}",
        invisible in "[\u{AD}\u{200B}\u{200D}\u{FEFF}\u{A0}\u{202A}\u{202C}\u{2060}]",
        at in any::<prop::sample::Index>(),
    ) {
        let country = Country::parse("KZ").unwrap();
        for (kind, plain) in [(IdentifierKind::Email, email), (IdentifierKind::Phone, phone)] {
            let mut places: Vec<usize> = plain.char_indices().map(|(place, _)| place).collect();
            places.push(plain.len());
            let mut spoilt = plain.clone();
            spoilt.insert_str(*at.get(&places), &invisible);
            let (mut a, mut b) = (String::new(), String::new());
            let expected = canonical(kind, &plain, &country, &mut a);
            prop_assert!(expected.is_ok());
            prop_assert_eq!(canonical(kind, &spoilt, &country, &mut b), expected);
        }
    }
}

#[test]
fn a_fault_says_why_and_never_what() {
    for fault in [Unusable::Empty, Unusable::TooLong, Unusable::Several, Unusable::Malformed] {
        assert!(fault.to_string().starts_with("is ") || fault.to_string().starts_with("holds "));
    }
}
