//! What is whose in a text, and above all: what must stay the sender's.

use proptest::prelude::*;

use super::*;

/// Texts that are the sender's own as they stand.
#[test]
fn a_sentence_that_only_looks_like_a_mark_is_the_senders() {
    for text in [
        "Вы мне вчера написали: купите шторы. Отпишите меня",
        "Кому: ТОО «Лулла»\nОт: Ивановой А.\nТема: отказ от рассылки\n\nПрошу исключить меня",
        "От: Иванова\nПрошу отписать меня",
        "Тема: отписка",
        "С уважением прошу отписать меня от рассылки",
        "С уважением, но отпишите меня",
        "С УВАЖЕНИЕМ ПРОШУ ОТПИСАТЬ МЕНЯ",
        "Regards to all, but please unsubscribe me",
        "В 2026 году я просил отписать меня\nи снова прошу",
        "On Friday I asked you to stop",
        "Мой номер 8 777 111 31 11, мой адрес:\na@mail.kz",
        "Удалите адреса:\na@mail.kz\nb@mail.kz",
        "20.11.2026 я отказался от рассылки:\nсколько можно",
        "Мой номер:\n8 777 111 31 11",
        "Исходное сообщение было о скидках, отпишите меня",
        "I got a forwarded message from you, remove me",
        "Это сообщение я пишу в третий раз: отпишите",
        "Жіберілген хаттар мазалайды, тоқтатыңыз",
        "Время 12:00, а вы звоните",
        "---\nОтпишите меня\n---",
        "Отправлено три письма, хватит",
        "5 > 3, отпишите",
        "Скажите менеджеру Иванову, он мне писал: больше не надо",
    ] {
        let split = split(text, false);
        assert_eq!(split.own, text);
        assert!(!split.quotes && split.signature.is_empty(), "{text}");
    }
}

#[test]
fn own_words_right_above_an_announcement_are_kept() {
    for announcement in [
        "пт, 20 нояб. 2026 г. в 12:00, Lulla <news@lulla.kz>:",
        "On Fri, Nov 20, 2026 at 12:00 PM Lulla <news@lulla.kz> wrote:",
        "On Fri, Nov 20, 2026 at 12:00 PM Lulla Fresh and everybody\n<news@lulla.kz>\nwrote:",
        "В Пт, 20/11/2026 в 12:00 +0500, Lulla пишет:",
        "В письме от 20 ноября 2026 г. 12:00 пользователь Lulla <news@lulla.kz>\nнаписал:",
        "Lulla <news@lulla.kz> писал(а) 20 ноября 2026 г.:",
        "20 ноября 2026 г. 12:00:00 GMT+05:00, Lulla <news@lulla.kz> пишет:",
        "Пятница, 20 ноября 2026, 12:00 +05:00 от \"Lulla\" <news@lulla.kz>:",
        "2026 ж. 20 қар., жм 12:00, Lulla <news@lulla.kz> жазды:",
        "2026 жылғы 20 қараша, жұма, 12:00 Lulla <news@lulla.kz> жазды:",
        "> On 20 Nov 2026, at 12:00, Lulla <news@lulla.kz> wrote:",
        "*От:* Lulla <news@lulla.kz>\n*Отправлено:* 20 ноября 2026\n*Кому:* A\n*Тема:* S",
        "От кого: Lulla <news@lulla.kz>\nКому: a@mail.kz\nДата: Пятница, 20 ноября 2026, 12:00 +05:00\nТема: S",
        "From: Lulla\nDate: Fri, Nov 20, 2026 at 12:00 PM\nSubject: S\nTo: <a@mail.kz>",
    ] {
        for own in ["Стоп", "В 2026 году я просил\nотписать меня", "Мой номер 8 777 111 31 11"]
        {
            for between in ["\n", "\n\n"] {
                let text = format!("{own}{between}{announcement}\n\nСкидки! Отписаться\n");
                let marked = announcement.starts_with('>');
                let split = split(&text, false);
                let expected = if marked {
                    format!("{own}\n\nСкидки! Отписаться")
                } else {
                    own.to_owned()
                };
                assert!(split.own == expected.replace("\n\n\n", "\n\n"), "{text}: {}", split.own);
                assert!(split.quotes, "{text}");
            }
        }
    }
}

#[test]
fn words_below_a_signature_are_found() {
    for text in [
        "Где заказ?\n\nС уважением,\nИван\n\nP.S. Отпишите меня",
        "Где заказ?\n-- \nИван\nЗ.Ы. Отпишите меня",
        "Где заказ?\n-- \nИван\n> цитата\nОтпишите меня",
    ] {
        assert!(split(text, false).own.ends_with("Отпишите меня"), "{text}");
        assert!(split(text, false).signature.contains("Иван"), "{text}");
    }
}

#[test]
fn signatures_of_people_and_programs_are_told() {
    for signature in [
        "--\nИван Петров",
        "С уважением,\nИван Петров",
        "С уважением, Иван Петров\nдиректор",
        "С уважением Иван Петров",
        "с уважением,\nИван",
        "С уважением, ТОО «Ромашка»",
        "Құрметпен,\nАйгерім",
        "Kind regards,\nIvan",
        "Отправлено с iPhone",
        "Отправлено с моего iPhone",
        "Отправлено с iPhone\n+7 747 000 33 22",
        "Отправлено из мобильной Почты Mail.ru",
        "Отправлено с устройства Galaxy",
        "Отправлено из Outlook для Android",
        "Скачать Outlook для iOS<https://aka.ms/x>",
        "Отправлено из Яндекс Почты для мобильных",
        "Sent from my Samsung Galaxy smartphone.",
        "Get Outlook for iOS",
        "Менің iPhone құрылғымнан жіберілді",
        "Отправлено из Mail.ru для Android",
        "Без вирусов. www.avast.com",
        "Это сообщение и любые вложения конфиденциальны.\nЕсли вы получили его по ошибке, удалите.",
        "CONFIDENTIALITY NOTICE: delete this if you are not Ivan",
        "Бұл хабарлама және оған қоса берілген файлдар құпия",
    ] {
        let split = split(&format!("Стоп\n\n{signature}\n"), false);
        assert_eq!((split.own.as_str(), split.signature.as_str()), ("Стоп", signature));
    }
}

#[test]
fn the_subject_of_an_answer_is_told_from_ones_own() {
    for (subject, plain, forward) in [
        ("Отписаться", "Отписаться", false),
        ("Re: Скидки", "Скидки", false),
        ("RE: Re[2]: FW: Скидки", "Скидки", true),
        ("Ответ: Скидки", "Скидки", false),
        ("Fwd: Скидки", "Скидки", true),
        ("Пересл: Скидки", "Скидки", true),
        ("Жауап: Жеңілдік", "Жеңілдік", false),
        ("Прошу: отпишите", "Прошу: отпишите", false),
        ("Re", "Re", false),
        ("Re:", "", false),
        ("", "", false),
    ] {
        assert_eq!((plain_subject(subject), is_forward(subject)), (plain, forward), "{subject}");
    }
}

proptest! {
    #[test]
    fn a_text_without_marks_is_kept_word_for_word(words in "[а-яё]{2,9}( [а-яё]{2,9}){0,30}") {
        prop_assume!(signature::closing(&Line::new(&words)).is_none() && !signature::begins(&Line::new(&words)));
        prop_assume!(!signature::is_program_line(&Line::new(&words)));
        prop_assert_eq!(split(&words, false).own, words);
    }

    #[test]
    fn what_stands_behind_quote_marks_never_counts(own in "[а-я ]{0,20}", quoted in "[а-яa-z:@. ]{1,40}") {
        let text = format!("{own}\n> {quoted}\n>> {quoted}\n");
        prop_assert_eq!(split(&text, false).own, split(&own, false).own);
        prop_assert!(split(&text, false).quotes);
    }

    #[test]
    fn no_line_is_lost_or_invented(text in "([а-яA-Z>@:. \\-]{0,30}|С уважением,|-- |On 1 Jan 2026 X wrote:|\n){0,20}") {
        let split = split(&text, true);
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let kept = split.own.lines().chain(split.signature.lines()).filter(|line| !line.is_empty());
        for line in kept {
            prop_assert!(lines.contains(&line));
        }
        prop_assert!(split.own.len() + split.signature.len() <= text.len());
    }
}
