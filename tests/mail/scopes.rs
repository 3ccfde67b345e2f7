//! What a request is narrowed to, and what it is not.

use suppressd::domain::mail::reading::Outcome;

use crate::support::{letter, name, reader};

/// Fails for every text whose scope is another: channels, brands and regions, separated by blanks.
#[track_caller]
fn check(rows: &[(&str, &str)]) {
    let reader = reader();
    let mut wrong = Vec::new();
    for (text, expected) in rows {
        let reading = reader.read(&letter(text));
        let found = match &reading.outcome {
            Outcome::OptOut { scope, .. } => {
                let channels = scope.channels.iter().map(ToString::to_string);
                channels
                    .chain(scope.brands.clone())
                    .chain(scope.regions.clone())
                    .collect::<Vec<_>>()
                    .join(" ")
            }
            _ => name(&reading).to_owned(),
        };
        if found != *expected {
            wrong.push(format!("{found:?}, not {expected:?}: {text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_and_what_may_go_on_narrow_a_request() {
    check(&[
        ("unsubscribe me from SMS only", "sms"),
        ("Отпишите меня только от смс", "sms"),
        ("Тек SMS жібермеңіз", "sms"),
        ("Смс не присылайте, а на почту можно", "sms"),
        ("Please stop the texts, emails are fine", "sms"),
        ("не звоните", "call"),
        ("Қоңырау шалмаңыз", "call"),
        ("Не звоните и смс не шлите, письма оставьте", "sms call"),
        ("Не звоните, письма оставьте", "call"),
        ("Не звоните и не шлите смс, письма оставьте", "sms call"),
        ("отпишите только от lulla", "lulla.kz"),
        ("unsubscribe me, only lulla", "lulla.kz"),
        ("Тек лулладан бас тартамын, хат жібермеңіз", "lulla.kz"),
        ("Отпишите меня от всего, кроме lulla", "lunafresh.kz bilal.kz"),
        ("Не присылайте рассылку только по Шымкенту", "KZ-79"),
    ]);
}

#[test]
fn in_doubt_a_request_is_about_everything() {
    check(&[
        ("не пишите и не звоните", ""),
        ("Отпишите меня от рассылки lulla.kz", ""),
        ("Не присылайте мне смс", ""),
        ("Отпишите меня от смс, писем и звонков", ""),
        ("Прекратите все рассылки, и смс, и email", ""),
        ("СМС жібермеңіз", ""),
        ("Я из Шымкента, отпишите меня", ""),
        ("Только что получил вашу рекламу, отпишите меня", ""),
        ("Не звоните и не пишите мне больше никогда", ""),
        ("Как можно отписаться от смс?", ""),
        ("СМС таратылымнан қалай шығуға болады?", ""),
        ("unsubscribe me from all emails", ""),
    ]);
}
