//! The rules of telephone numbers, a table for each sentence of the contract.

use proptest::prelude::*;

use super::*;

fn read(raw: &str, country: &str) -> Result<String, Unusable> {
    let mut buffer = String::new();
    canonical(raw, &Country::parse(country).unwrap(), &mut buffer).map(|()| buffer)
}

#[track_caller]
fn check(country: &str, canonical: &str, spellings: &[&str]) {
    for raw in spellings.iter().chain([&canonical]) {
        assert_eq!(read(raw, country).as_deref(), Ok(canonical), "{raw:?}");
    }
}

#[test]
fn all_spellings_of_a_kazakh_number_are_one_number() {
    check(
        "KZ",
        "+77771113111",
        &[
            "8 (777) 111-31-11",
            "+7 777 111 3 111",
            "7771113111",
            "87771113111",
            "77771113111",
            "8\u{A0}777\u{A0}111\u{A0}31\u{A0}11",
            "8777\u{AD}1113111",
            "\u{FEFF}+7 777 111 31 11\u{200B}",
            "８７７７１１１３１１１",
            "٨٧٧٧١١١٣١١١",
            "'87771113111",
            "’87771113111",
            "8 777 111 31 11 доб. 12",
            "8 777 111 31 11 (вн. 12)",
            "+7 777 111 31 11 ext 12",
            "87771113111#12",
            "87771113111 ішкі 12",
            "77771113111.0",
            "7771113111.0",
            "7771113111.00",
            "007 777 111 31 11",
            "8~10 7 777 111 31 11",
            "8-10-7-777-111-31-11",
            "8 10 7 777 111 31 11",
            "+8 777 111 31 11",
            "+8 10 7 777 111 31 11",
            "+00 7 777 111 31 11",
            "+7 8 777 111 31 11",
            "+7 (8777) 111 31 11",
            "tel:+7-777-111-31-11",
            "tel:87771113111",
            "(+7) 777 1113111",
        ],
    );
}

#[test]
fn prefixes_that_nobody_uses_are_numbers_too() {
    check("KZ", "+70001234567", &["8 000 123 45 67", "0001234567", "+8 000 123 45 67"]);
    check("KZ", "+70000000000", &["80000000000"]);
    check("KZ", "+71234567890", &["1234567890", "8 123 456 78 90"]);
    check("KZ", "+78101234567", &["8101234567", "8 810 123 45 67"]);
    check("KZ", "+71012345678", &["8 101 234 56 78"]);
    check("KZ", "+99912345678", &["00 999 12345678", "8~10 999 12345678"]);
}

#[test]
fn free_numbers_keep_their_eight() {
    check("KZ", "+78005553535", &["8 800 555 35 35", "78005553535", "8005553535", "+8 800 555 35 35"]);
    check("RU", "+78005553535", &["8 800 555 35 35", "78005553535", "8005553535"]);
}

#[test]
fn foreign_numbers_keep_their_country() {
    check(
        "KZ",
        "+491711234567",
        &["+49 171 1234567", "0049 171 1234567", "8~10 49 171 1234567", "+49 (0)171 1234567"],
    );
    check("KZ", "+998901234567", &["998 90 123 45 67", "+998901234567"]);
    check("KZ", "+12025550123", &["1 202 555 0123", "00 1 202 555 0123"]);
    check("KZ", "+81312345678", &["+81 3 1234 5678"]);
    check("KZ", "+390612345678", &["+39 06 1234 5678"]);
    check("KZ", "+74951234567", &["+7 495 123-45-67", "8 (495) 123-45-67", "+8 495 123-45-67"]);
}

#[test]
fn another_default_country_dials_in_its_own_way() {
    check("DE", "+491711234567", &["0171 1234567", "0171/1234567", "+49 171 1234567", "0049 171 1234567"]);
    check("DE", "+77771113111", &["+7 777 111 31 11", "007 777 111 31 11"]);
    check("US", "+12025550123", &["(202) 555-0123", "1-202-555-0123"]);
    check("US", "+77771113111", &["011 7 777 111 31 11", "00 7 777 111 31 11"]);
    check("KG", "+996555123456", &["0555 123456", "996 555 123456"]);
    assert_ne!(read("8 777 111 31 11", "DE"), Ok("+77771113111".to_owned()));
    check("DE", "+84912345678", &["+84 91 234 56 78"]);
}

#[test]
fn what_cannot_be_a_whole_number_does_not_parse() {
    for raw in [
        "7.77E+10",
        "7,77111E+10",
        "12345",
        "53111",
        "2531111",
        "8701123456a",
        "+3367a829916",
        "O",
        "-",
        "+",
        "доб. 12",
        "877711131112",
        "777711131112",
        "870212345678",
        "+7 777 111 31 1",
        "+7777111311123",
        "87771113111 123",
        "+0171 1234567",
        "0",
        "87011234567, 87021234567",
        "87011234567,87021234567",
        "87011234567/87021234567",
        "87011234567; 87021234567",
        "87011234567 87021234567",
        "87011234567\n87021234567",
        "+77011234567+77021234567",
        "87011234567 или 87021234567",
        "531111, 531112",
        "1234567890123456",
        "+1234567890123456",
        "+9991234567890123",
        "00999123456789012345",
        "+12345",
    ] {
        assert!(read(raw, "KZ").is_err(), "{raw:?}");
    }
    for raw in ["", " ", "'", "\u{200B}", "tel:"] {
        assert_eq!(read(raw, "KZ"), Err(Unusable::Empty), "{raw:?}");
    }
    assert_eq!(read(&"7".repeat(257), "KZ"), Err(Unusable::TooLong));
    assert!(read("1234567890123456", "DE").is_err());
}

/// Separators between any two digits, as many spellings as there are.
fn spelt(digits: String) -> impl Strategy<Value = String> {
    let separators = prop::collection::vec("[ ().\u{A0}\u{AD}\u{200B}–-]{0,2}", digits.len());
    separators.prop_map(move |gaps| {
        digits.chars().zip(gaps).fold(String::new(), |text, (digit, gap)| text + &gap + &digit.to_string())
    })
}

proptest! {
    // Left out: 10 behind an 8, and 00 and 810 with nothing in front, which may lead abroad.
    #[test]
    fn every_spelling_of_a_number_is_that_number(
        (national, raw) in ("([2-79][0-9]|8[02-9]|0[1-9])[0-9]{8}", "\\+7|7|8|8107|007|78|\\+78|").prop_flat_map(|(national, prefix)| {
            (Just(national.clone()), spelt(format!("{prefix}{national}")))
        }),
        country in "KZ|RU",
    ) {
        prop_assert_eq!(read(&raw, &country), Ok(format!("+7{national}")));
    }

    #[test]
    fn the_fast_path_is_the_slow_path(raw in "[+]?[ (]?[078]?[0-9]{0,3}[ ().-]?[0-9]{5,9}[.0]{0,2}", code in "KZ|RU") {
        let country = Country::parse(&code).unwrap();
        let mut fast = String::new();
        if plain(&raw, &mut fast).is_some() {
            let slow = written::dialled(&raw).ok().and_then(|dialled| plan::e164(&dialled, &country));
            prop_assert_eq!(Some(fast), slow);
        }
    }

    #[test]
    fn a_canonical_form_is_its_own_wherever_it_is_read(
        raw in "(\\+|00|810|8|0)?[0-9]{4,16}",
        from in prop::sample::select(&["KZ", "RU", "DE", "US", "AR", "MX", "BR", "IT", "KG", "JP"][..]),
    ) {
        if let Ok(form) = read(&raw, from) {
            prop_assert!(form.len() <= 16);
            prop_assert_eq!(read(&form, from), Ok(form.clone()));
        }
    }
}
