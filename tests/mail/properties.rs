//! What holds for any text.

use proptest::prelude::*;
use suppressd::domain::mail::letter::{Automatic, Letter, Report};
use suppressd::domain::mail::quote;
use suppressd::domain::mail::reading::Outcome;

use crate::support::{letter, name, reader};

/// Requests that need no context.
const REQUESTS: [&str; 10] = [
    "Отпишите меня от рассылки",
    "не присылайте мне больше смс",
    "Хочу отписаться",
    "Прошу удалить мой номер из базы",
    "Таратылымнан бас тартамын",
    "Маған хабарлама жібермеңіз",
    "jarnama kerek emes",
    "Please unsubscribe me",
    "Stop sending me your newsletter",
    "take me off your list",
];

/// Texts that ask for nothing of ours.
const QUESTIONS: [&str; 5] = [
    "Здравствуйте, когда придёт мой заказ?",
    "Тапсырысым қашан келеді?",
    "When will my order arrive?",
    "Сколько стоит доставка в Шымкент?",
    "Спасибо, всё подошло",
];

const GREETINGS: [&str; 8] = [
    "Здравствуйте!",
    "Добрый день.",
    "Сәлеметсіз бе!",
    "Hello,",
    "Қайырлы күн!",
    "Hi there!",
    "Салем!",
    "Dear team,",
];
const THANKS: [&str; 6] =
    ["Спасибо!", "Заранее благодарю.", "Рақмет!", "Алдын ала рахмет", "Thank you.", "🙏"];

const LATIN: &str = "`qwertyuiop[]asdfghjkl;'zxcvbnm,.";
const RUSSIAN: &str = "ёйцукенгшщзхъфывапролджэячсмитьбю";

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,12}",
        "[а-яёәіңғүұқөһ]{1,14}",
        "[a-z']{1,14}",
        "[0-9+() -]{1,16}",
        prop::sample::select(
            &[
                "не",
                "отпишите",
                "рассылки",
                "жібер",
                "тарт",
                "бас",
                "unsubscribe",
                "off",
                "take",
                "stop",
                "?",
                ".",
                "\n",
                ",",
                "a@b.kz",
                "8777",
                "только",
                "смс",
                "lulla",
                "заказ",
                "\u{200B}",
                "É",
                "İ",
                "ﷺ"
            ][..]
        )
        .prop_map(str::to_owned),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec((word(), prop::sample::select(&["", " ", " ", "\n", ", "][..])), 0..24)
        .prop_map(|words| words.into_iter().map(|(word, gap)| word + gap).collect())
}

/// What was typed if the layout was not switched.
fn switched(text: &str, from: &str, to: &str) -> String {
    let key = |c: char| from.chars().position(|key| key == c).and_then(|at| to.chars().nth(at));
    text.to_lowercase().chars().map(|c| key(c).unwrap_or(c)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_text_is_too_strange_and_every_mail_gets_one_answer(subject in text(), text in text()) {
        let reader = reader();
        let mail = Letter { subject, ..letter(&text) };
        let reading = reader.read(&mail);
        prop_assert!(!reading.rule.is_empty());
        prop_assert!(reader.read(&mail) == reading);
    }

    #[test]
    fn what_is_quoted_below_changes_nothing(own in text(), quoted in prop::sample::select(&REQUESTS[..])) {
        let reader = reader();
        let plain = quote::split(&own, false);
        let reply = quote::split(&format!("{own}\n\n> {quoted}\n> отписаться\n"), false);
        let read = |text: String| name(&reader.read(&letter(&text)));
        prop_assert_eq!(read(plain.own), read(reply.own));
    }
}

#[test]
fn greetings_and_thanks_change_no_request() {
    let reader = reader();
    for request in REQUESTS {
        for greeting in GREETINGS {
            for thanks in THANKS {
                for gap in [" ", "\n", "\n\n"] {
                    let text = [greeting, request, thanks].join(gap);
                    assert_eq!(name(&reader.read(&letter(&text))), "opt_out", "{text}");
                }
            }
        }
    }
}

#[test]
fn the_other_keyboard_layout_changes_nothing() {
    let reader = reader();
    let texts = REQUESTS.iter().chain(&QUESTIONS).filter(|text| !text.contains(['Т', 'М']));
    for text in texts {
        let is_latin = text.is_ascii();
        let typed = if is_latin { switched(text, LATIN, RUSSIAN) } else { switched(text, RUSSIAN, LATIN) };
        assert_eq!(
            name(&reader.read(&letter(&typed))),
            name(&reader.read(&letter(text))),
            "{text} as {typed}"
        );
    }
}

#[test]
fn an_automatic_mail_is_never_an_opt_out_whatever_it_says() {
    let reader = reader();
    for request in REQUESTS {
        for subject in ["", "Автоответ", "Automatic reply: unsubscribe"] {
            let mail = Letter {
                subject: subject.to_owned(),
                automatic: Some(Automatic::AutoSubmitted),
                ..letter(&format!("Я в отпуске до 5 мая. {request}. Иванов."))
            };
            assert_eq!(reader.read(&mail).rule, "nothing.automatic");
        }
    }
}

#[test]
fn reports_are_bounces_and_complaints() {
    let reader = reader();
    let failed = vec!["a@pochta.example".to_owned()];
    let of = |report| name(&reader.read(&Letter { report: Some(report), ..letter("отписаться") }));
    assert_eq!(of(Report::Delivery { failed: failed.clone() }), "bounce");
    assert_eq!(of(Report::Delivery { failed: Vec::new() }), "nothing");
    assert_eq!(of(Report::Abuse { complained: failed }), "complaint");
    assert_eq!(of(Report::Other), "nothing");
}

#[test]
fn our_own_addresses_and_numbers_are_nobodys_to_suppress() {
    let reader = reader();
    let text = "Отпишите a@pochta.example, info@bilal.kz и мой номер 8 701 000 11 22, не +7 777 111 3 111";
    let Outcome::OptOut { subject, .. } = reader.read(&letter(text)).outcome else { panic!("an opt-out") };
    assert_eq!(subject.emails, ["aigerim@pochta.example", "a@pochta.example"]);
    assert_eq!(subject.phones, ["8 701 000 11 22"]);
}

#[test]
fn a_number_named_right_after_the_request_is_the_writers_and_one_on_a_line_of_its_own_is_not() {
    let reader = reader();
    for (text, phones) in [
        ("Хватит мне звонить! Номер 8 701 000 11 22. Спасибо", 1),
        ("Stop calling me. Number 8 701 000 11 22", 1),
        ("Маған қоңырау шалмаңыз! Нөмір 8 701 000 11 22", 1),
        ("Хватит мне звонить!\n\nИван, номер 8 701 000 11 22", 0),
    ] {
        let Outcome::OptOut { subject, .. } = reader.read(&letter(text)).outcome else { panic!("{text}") };
        assert_eq!(subject.phones.len(), phones, "{text}");
    }
}

#[test]
fn a_long_mail_is_read_in_bounded_time() {
    let reader = reader();
    let long = "отпишитеменяпожалуйста неизвестноеслово qwertyuiop ".repeat(6_000);
    assert!(long.len() > 400_000);
    assert_eq!(name(&reader.read(&letter(&long))), "opt_out");
}
