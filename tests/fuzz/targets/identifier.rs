//! Identifiers of each kind: a canonical form is its own canonical form, or two spellings of one person would differ.
#![no_main]

use libfuzzer_sys::fuzz_target;
use suppressd::domain::identifier::{Country, canonical};
use suppressd::domain::words::IdentifierKind;

fuzz_target!(|text: &str| {
    let country = Country::parse("KZ").expect("a country");
    let (mut first, mut second) = (String::new(), String::new());
    for kind in IdentifierKind::ALL {
        if let Ok(form) = canonical(*kind, text, &country, &mut first) {
            assert_eq!(canonical(*kind, form, &country, &mut second).ok(), Some(form), "{kind:?}");
        }
    }
});
