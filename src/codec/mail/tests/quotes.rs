//! Answers, forwards and signatures in plain text: whose words are left.

use super::*;

/// Texts of which exactly `left` is the sender's.
#[track_caller]
fn check(left: &str, bodies: &[&str]) {
    for body in bodies {
        assert_eq!(own(body), left, "{body}");
    }
}

#[test]
fn what_is_quoted_does_not_count() {
    check(
        "Где мой заказ?",
        &[
            "Где мой заказ?\n\n> Отписаться\n> unsubscribe\n",
            "Где мой заказ?\n\nOn Fri, Nov 20, 2026 at 12:00 PM Lulla <news@lulla.kz> wrote:\n> Отписаться\n",
            "Где мой заказ?\n\nOn Fri, Nov 20, 2026 at 12:00 PM Lulla\n<news@lulla.kz> wrote:\n\n> Отписаться\n",
            "Где мой заказ?\n\nOn 20 Nov 2026, at 12:00, Lulla <news@lulla.kz> wrote:\n\nОтписаться\n",
            "Где мой заказ?\n\nпт, 20 нояб. 2026 г. в 12:00, Lulla <news@lulla.kz>:\n\n> Отписаться\n",
            "Где мой заказ?\n\nпт, 20 нояб. 2026\u{A0}г. в 12:00, Lulla <\nnews@lulla.kz>:\n\nОтписаться\n",
            "Где мой заказ?\n\n20 нояб. 2026 г., в 12:00, Lulla <news@lulla.kz> написал(а):\n\nОтписаться\n",
            "Где мой заказ?\n\n2026 ж. 20 қар., жм 12:00, Lulla <news@lulla.kz> жазды:\n\nОтписаться\n",
            "Где мой заказ?\n\nЧетверг, 20 ноября 2026, 12:00 +05:00 от Lulla <news@lulla.kz>:\n\nОтписаться\n",
            "Где мой заказ?\n\n20.11.2026, 12:00, \"Lulla\" <news@lulla.kz>:\n\nОтписаться\n",
            "Где мой заказ?\n\n2026-11-20 12:00 GMT+05:00 Lulla <news@lulla.kz>:\n\nОтписаться\n",
            "Где мой заказ?\n\n20.11.2026 12:00, Lulla пишет:\nОтписаться\n",
            "Где мой заказ?\n\n-----Original Message-----\nFrom: Lulla\nОтписаться\n",
            "Где мой заказ?\n\n-----Исходное сообщение-----\nОтписаться\n",
            "Где мой заказ?\n\n-------- Пересылаемое сообщение --------\nОтписаться\n",
            "Где мой заказ?\n\nОт: Lulla <news@lulla.kz>\nОтправлено: 20 ноября 2026 г. 12:00\nКому: a@mail.kz\n\
             Тема: Скидки\n\nОтписаться\n",
            "Где мой заказ?\n\n________________________________\nFrom: Lulla\nSent: Friday\nTo: A\nSubject: S\n\n\
             Отписаться\n",
            "Где мой заказ?\n\nКімнен: Lulla <news@lulla.kz>\nЖіберілді: 2026 ж. 20 қараша\nКімге: a@mail.kz\n\
             Тақырып: Жеңілдік\n\nОтписаться\n",
            "Где мой заказ?\n\n*From:* Lulla <news@lulla.kz>\n*Sent:* Friday, November 20, 2026\n*To:* A\n\
             *Subject:* S\n\nОтписаться\n",
            "Где мой заказ?\n\nНачало переадресованного сообщения:\n\nОт: Lulla\n\nОтписаться\n",
        ],
    );
}

#[test]
fn an_answer_below_or_between_quoted_lines_is_found() {
    check(
        "Отпишите меня",
        &[
            "> Скидки\n> Отписаться\n\nОтпишите меня\n",
            "On Fri, Nov 20, 2026 at 12:00 PM Lulla <news@lulla.kz> wrote:\n> Скидки\n\nОтпишите меня\n\n> Ещё\n",
            "20.11.2026, 12:00, \"Lulla\" <news@lulla.kz>:\n> Скидки\nОтпишите меня\n",
        ],
    );
}

#[test]
fn a_single_word_survives_next_to_a_signature() {
    check(
        "Стоп",
        &[
            "Стоп\n\n-- \nИван Петров\n+7 777 111 31 11\n",
            "Стоп\n\nС уважением,\nИван Петров\n",
            "Стоп\nС уважением, Иван Петров\nТОО «Ромашка»\n",
            "Стоп\n\nҚұрметпен, Айгерім\n",
            "Стоп\n\nBest regards,\nIvan\n",
            "Стоп\n\nОтправлено с iPhone\n",
            "Стоп\n\nОтправлено из Почты Mail.ru\n",
            "Стоп\n\nSent from my iPhone\n",
            "Стоп\n\niPhone-нан жіберілді\n",
            "Стоп\n--\nОтправлено из мобильной Яндекс Почты\n",
            "Отправлено с iPhone\n\nСтоп\n",
            "Стоп\n\nThis e-mail and any attachments are confidential.\nUnsubscribe is not here.\n",
        ],
    );
}
