//! The rules of e-mail addresses, a table for each sentence of the contract.

use proptest::prelude::*;

use super::*;

fn read(raw: &str) -> Result<String, Unusable> {
    let mut buffer = String::new();
    canonical(raw, &mut buffer).map(|()| buffer)
}

#[track_caller]
fn check(canonical: &str, spellings: &[&str]) {
    for raw in spellings.iter().chain([&canonical]) {
        assert_eq!(read(raw).as_deref(), Ok(canonical), "{raw:?}");
    }
}

#[track_caller]
fn refuse(why: Unusable, values: &[&str]) {
    for raw in values {
        assert_eq!(read(raw), Err(why), "{raw:?}");
    }
}

#[test]
fn case_space_and_invisible_characters_make_no_difference() {
    check(
        "ivan.petrov@mail.kz",
        &[
            " Ivan.Petrov@MAIL.kz\r\n",
            "\u{FEFF}ivan.petrov@mail.kz",
            "ivan.\u{AD}petrov@ma\u{200B}il.kz",
            "ivan.petrov@\u{A0}mail.kz\u{A0}",
            "ivan.petrov @ mail.kz",
            "\u{202A}ivan.petrov@mail.kz\u{202C}",
            "ｉｖａｎ．ｐｅｔｒｏｖ＠ｍａｉｌ．ｋｚ",
            "IVAN.PETROV＠mail。kz",
            "ivan.petrov@mail.kz\0",
        ],
    );
}

#[test]
fn the_local_part_is_case_folded_as_unicode_says() {
    check(
        "айгерім@почта.қаз".replace("почта.қаз", "xn--80a1acny.xn--80ao21a").as_str(),
        &["АЙГЕРІМ@ПОЧТА.ҚАЗ"],
    );
    check("strasse@b.de", &["straße@b.de", "STRASSE@b.de", "STRAẞE@B.DE"]);
    check("café@b.fr", &["cafe\u{301}@b.fr", "CAFE\u{301}@b.fr"]);
}

#[test]
fn a_domain_is_lower_case_a_labels() {
    check(
        "info@xn--80a1acny.xn--p1ai",
        &[
            "info@почта.рф",
            "info@ПОЧТА.РФ",
            "info@XN--80A1ACNY.XN--P1AI",
            "info@xn--80a1acny.рф",
            "info@почта。рф",
        ],
    );
    check("a@xn--strae-oqa.de", &["a@straße.de"]);
    check("a@my_host-1.kz", &["a@MY_host-1.kz"]);
    check("a@b--c.kz", &["a@B--C.kz"]);
}

#[test]
fn a_joiner_makes_no_difference_in_either_spelling_of_a_domain() {
    let without = read("a@نامهای.com").unwrap();
    check(&without, &["a@نامه\u{200C}ای.com", "a@xn--mgba3gch31f060k.com"]);
}

#[test]
fn a_tag_is_removed() {
    check("ivan@mail.kz", &["ivan+news@mail.kz", "ivan+@mail.kz", "Ivan+a+b@mail.kz", "ivan＋news@mail.kz"]);
    check("+77771113111@mail.kz", &["+77771113111+news@mail.kz"]);
}

#[test]
fn gmail_ignores_dots_and_has_two_names() {
    check(
        "ivanpetrov@gmail.com",
        &["ivan.petrov@gmail.com", "I.v.a.n.Petrov+x@GoogleMail.com", "ivanpetrov@googlemail.com."],
    );
    check("ḁ@gmail.com", &["A.\u{325}@gmail.com", "a\u{325}@googlemail.com"]);
    check("ivan.petrov@gmail.com.kz", &[]);
    refuse(Unusable::Malformed, &[".@gmail.com", "..+x@gmail.com"]);
}

#[test]
fn what_surrounds_an_address_is_taken_off() {
    check(
        "a@b.kz",
        &[
            "mailto:a@b.kz",
            "MailTo: a@b.kz?subject=STOP",
            "<a@b.kz>",
            "<mailto:a@b.kz>",
            "mailto:<a@b.kz>",
            "a@b.kz.",
            "<a@b.kz.>",
            "<a@b.kz>.",
            "a@b.kz;",
            ", a@b.kz ,",
            "Айгерім <a@b.kz>",
            "\"Doe, John\" <a@b.kz>",
            "ТОО \"Лулла <a@b.kz>",
            "\"<x>\" <a@b.kz>",
            "a@b.kz <a@b.kz>",
            "'A@b.kz' <a@b.kz>",
            "\"a@b.kz\" <a@b.kz>",
            "a@b.kz<mailto:a@b.kz>",
            "Ivan @ work <a@b.kz>",
            "@ivan <a@b.kz>",
            "'a@b.kz'",
            "\"a@b.kz\"",
            "«a@b.kz»",
            "＜a＠b.kz＞",
        ],
    );
}

#[test]
fn two_addresses_in_one_value_do_not_parse() {
    refuse(
        Unusable::Several,
        &[
            "a@b.kz, c@d.kz",
            "a@b.kz;c@d.kz",
            "a@b.kz c@d.kz",
            "a@b.kz\nc@d.kz",
            "a@b.kz/c@d.kz",
            "a@b.kz,a@b.kz",
            "<a@b.kz>, <c@d.kz>",
            "a@b.kz <c@d.kz>",
            "\"a@b.kz\" <c@d.kz>",
            "a@b.kz, c@d.kz <e@f.kz>",
            "a@b@c.kz",
            "mailto:a@b.kz,c@d.kz",
        ],
    );
}

#[test]
fn a_quoted_local_part_is_kept_as_it_is() {
    check("\"John Doe+x\"@b.kz", &["\"John Doe+x\"@B.KZ", "<\"John Doe+x\"@b.kz>", "\"John Doe+x\" @b.kz"]);
    check("\"A.b\"@gmail.com", &["\"A.b\"@googlemail.com"]);
    check("\"a@b.kz, <c>\\\"\"@d.kz", &[]);
    assert_ne!(read("\"A\"@b.kz"), read("\"a\"@b.kz"));
}

#[test]
fn unusual_addresses_of_real_people_are_addresses() {
    for raw in [
        "a..b.@docomo.ne.jp",
        "o'neil@b.ie",
        "a/b=c@x.kz",
        "_@b.kz",
        "1@2.kz",
        "root@localhost",
        "用户@例子.中国",
    ] {
        assert!(read(raw).is_ok(), "{raw:?}");
    }
}

#[test]
fn different_people_stay_different() {
    let people =
        ["a@b.kz", "b@b.kz", "a.b@b.kz", "ab@b.kz", "a-b@b.kz", "a_b@b.kz", "a@bb.kz", "a@b.com", "a@a.b.kz"];
    let mut forms: Vec<_> = people.iter().map(|raw| read(raw).unwrap()).collect();
    forms.sort();
    forms.dedup();
    assert_eq!(forms.len(), people.len());
}

#[test]
fn what_cannot_be_an_address_does_not_parse() {
    refuse(Unusable::Empty, &["", " ", "\u{200B}", "mailto:", "\"\""]);
    refuse(
        Unusable::Malformed,
        &[
            "ivan",
            "@b.kz",
            "a@",
            "a@.",
            "a@.kz",
            "a@b..kz",
            "a b@c.kz",
            "a,b@c.kz",
            "a@b,kz",
            "a@b kz",
            "a@b.kz <",
            "<a@b.kz",
            "<a@b.kz> x",
            "<>",
            "a@[192.0.2.1]",
            "a(x)@b.kz",
            "a@b.kz (x)",
            "\"a\"b@c.kz",
            "a@xn--ab\u{200B}",
            "a@xn--zzzzzzzzzz99999",
            "a@b/c.kz",
            "a:b@c.kz",
        ],
    );
    refuse(Unusable::TooLong, &[&format!("{}@b.kz", "a".repeat(1025)), &format!("{}@b.kz", "a".repeat(400))]);
}

proptest! {
    #[test]
    fn the_fast_path_is_the_slow_path(raw in "[ ]?[a-cA-C0-9._+-]{1,8}@(([a-zA-Z0-9_-]{1,5}\\.){0,2}[a-zA-Z]{2,3}|g(oogle)?mail\\.COM)") {
        let mut slow = String::new();
        let slow = careful(&raw, &mut slow).map(|()| slow);
        prop_assert_eq!(read(&raw), slow);
    }

    #[test]
    fn every_value_gets_an_answer_which_is_its_own_canonical_form(
        raw in "(mailto:|<|\"|Ii <)?[ａAß \u{130}\u{345}\u{AD}.+\"\\\\,;<>@a-z]{0,8}@?[ß。．.қA-Zxn\u{200C}-]{0,8}(>|\"|\\.)?",
    ) {
        if let Ok(form) = read(&raw) {
            prop_assert_eq!(read(&form), Ok(form.clone()));
        }
    }
}
