//! Which parts of a mail are its text, and what is missing when there is none.

use super::*;

/// A mail of these parts, each with its own fields.
fn multipart(kind: &str, parts: &[&str]) -> String {
    let body = parts.iter().fold(String::new(), |body, part| format!("{body}--B\n{part}\n"));
    mail(
        &format!("Content-Type: multipart/{kind}; boundary=\"B\""),
        &format!("preamble\n{body}--B--\nepilogue\n"),
    )
}

const PLAIN: &str = "Content-Type: text/plain; charset=utf-8\n\nОтпишите меня";
const HTML: &str = "Content-Type: text/html; charset=utf-8\n\n<p>Отпишите <b>меня</b></p>";
const PICTURE: &str =
    "Content-Type: image/png; name=\"a.png\"\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=";

#[track_caller]
fn check(left: &str, mails: &[String]) {
    for mail in mails {
        let letter = letter(mail);
        assert_eq!(letter.text, left, "{mail}");
        assert_eq!(letter.unread, None, "{mail}");
    }
}

#[test]
fn the_text_is_found_in_every_structure() {
    let inner = "Content-Type: multipart/alternative; boundary=\"C\"\n\n--C\nContent-Type: text/plain; charset=utf-8\n\n\
                 Отпишите меня\n--C\nContent-Type: text/html\n\n<p>x</p>\n--C--\n";
    let base64 = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n\
                  0J7RgtC/0LjRiNC40YLQtSDQvNC1\n0L3Rjw==\n";
    let quoted = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: QUOTED-PRINTABLE\n\n\
                  =D0=9E=D1=82=D0=BF=D0=B8=D1=88=D0=B8=D1=\n=82=D0=B5 =D0=BC=D0=B5=D0=BD=D1=8F=\n";
    let attached = "Content-Type: text/plain\nContent-Disposition: attachment; filename=\"a.txt\"\n\nun more";
    check(
        "Отпишите меня",
        &[
            multipart("mixed", &[PLAIN, PICTURE]),
            multipart("mixed", &[PICTURE, PLAIN]),
            multipart("mixed", &[PLAIN, attached]),
            multipart("mixed", &[inner, PICTURE]),
            multipart("alternative", &[PLAIN, HTML]),
            multipart("alternative", &[HTML, PLAIN]),
            multipart("alternative", &[HTML]),
            multipart("related", &[HTML, PICTURE]),
            multipart("signed", &[PLAIN, "Content-Type: application/pgp-signature\n\nsig"]),
            multipart("mixed", &[base64]),
            multipart("mixed", &[quoted]),
            multipart("unheard-of", &[PLAIN]),
            multipart("mixed", &["\nОтпишите меня"]),
        ],
    );
}

#[test]
fn a_plain_text_that_only_points_to_the_html_does_not_win() {
    for stub in [
        "",
        " \n",
        "Your email client does not support HTML.",
        "Ваш почтовый клиент не поддерживает HTML",
        "Это письмо в формате HTML. Включите HTML.",
        "Your mail program does not show HTML messages.",
    ] {
        let plain = format!("Content-Type: text/plain; charset=utf-8\n\n{stub}");
        check("Отпишите меня", &[multipart("alternative", &[&plain, HTML])]);
    }
}

#[test]
fn broken_structures_lose_no_text() {
    check(
        "Отпишите меня",
        &[
            // The end is missing, line ends are Windows', the boundary is never seen, no type at all.
            mail("Content-Type: multipart/mixed; boundary=B", &format!("--B\n{PLAIN}\n")),
            multipart("mixed", &[PLAIN]).replace('\n', "\r\n"),
            mail("Content-Type: multipart/mixed; boundary=\"NEVER\"", "Отпишите меня"),
            mail("Content-Type: multipart/mixed", "Отпишите меня"),
            mail("", "Отпишите меня"),
            mail("Content-Type: text", "Отпишите меня"),
            mail("Content-Type: ;;;", "Отпишите меня"),
            mail(
                "Content-Transfer-Encoding: base64\nContent-Type: text/plain; charset=utf-8",
                "Отпишите меня",
            ),
            mail("Content-Transfer-Encoding: quoted-printable", "Отпишите меня"),
            mail("", "<html><p>Отпишите меня</p></html>"),
            // The mbox line, empty lines above, and none between header and body.
            format!("From a@mail.kz Fri Nov 20 12:00:00 2026\n{}", mail("", "Отпишите меня")),
            format!("\n\n{}", mail("", "Отпишите меня")),
            "From: a@mail.kz\nОтпишите меня\n".to_owned(),
            // A folded line without its space.
            "From: a@mail.kz\nX-Long: a\nbroken\nSubject: s\n\nОтпишите меня".to_owned(),
        ],
    );
    assert_eq!(letter("From: a@mail.kz\nX-Long: a\nbroken\nSubject: s\n\nx").subject, "s");
}

#[test]
fn lines_that_a_program_broke_are_joined() {
    let fields = "Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes";
    check("Отпишите", &[mail(fields, "Отпи \nшите\n")]);
    let fields = "Content-Type: text/plain; charset=utf-8; format=flowed";
    check(
        "Отпишите меня",
        &[mail(fields, "Отпишите \nменя\n-- \nИван\n"), mail(fields, " Отпишите меня\n> \n> x \n> y\n")],
    );
}

#[test]
fn a_mail_without_text_says_so_unless_its_subject_speaks() {
    let unread = |subject: &str, mail: &str| letter(&format!("Subject: {subject}\n{mail}")).unread;
    let picture = multipart("mixed", &[PICTURE]);
    let empty = multipart("mixed", &["Content-Type: text/plain\n\n", PICTURE]);
    let page = mail("Content-Type: text/html", "<html><img src=\"cid:1\"></html>");
    for mail in [&picture, &empty] {
        assert_eq!(unread("", mail), Some(Unread::NoText));
        assert_eq!(unread("Re:", mail), Some(Unread::NoText));
        assert_eq!(unread("Re: Скидки", mail), Some(Unread::NoText), "it repeats our own subject");
        assert_eq!(unread("Отписаться", mail), None);
    }
    assert_eq!(unread("", &page), Some(Unread::NoText));
    assert_eq!(unread("", &mail("", "")), Some(Unread::NoText));
    assert_eq!(unread("Отписаться", &mail("", "")), None);
    assert_eq!(unread("", &mail("", "Стоп")), None);
    assert_eq!(unread("", &mail("Content-Type: image/png", "x")), Some(Unread::NoText));
}

#[test]
fn what_is_no_mail_is_malformed() {
    for raw in ["", "\n", "Отпишите меня", "\0\0\0"] {
        let letter = letter(raw);
        assert_eq!(letter.unread, Some(Unread::Malformed), "{raw:?}");
        assert!(letter.from.is_empty());
    }
}

#[test]
fn copies_of_a_mail_have_one_identity() {
    let inbox = "Received: from x by y\nFrom: a@mail.kz\nDate: Fri, 20 Nov 2026 12:00:00 +0500\nSubject: s t\n\nОтпишите\n";
    let junk = "X-Spam-Flag: YES\r\nReceived: from z\r\nFrom:  a@mail.kz\r\nSubject: s\r\n t\r\n\
                Date: Fri, 20 Nov 2026 12:00:00 +0500\r\n\r\nОтпишите  \r\n\r\n";
    let same = |a: &str, b: &str| identity(a.as_bytes()) == identity(b.as_bytes());
    assert!(same(inbox, junk));
    assert!(!same(inbox, &inbox.replace("Отпишите", "Отпишите меня")));
    assert!(!same(inbox, &inbox.replace("s t", "t s")));
    assert!(!same(inbox, &inbox.replace("12:00:00", "12:00:01")));
    let named = |id: &str, mail: &str| format!("Message-ID:\n {id}\n{mail}");
    assert!(same(&named("<1@mail.kz>", inbox), &named("<1@mail.kz> ", &junk.replace("Отпишите", "y"))));
    assert!(!same(&named("<1@mail.kz>", inbox), &named("<2@mail.kz>", inbox)));
    let later = inbox.replace("12:00:00", "12:00:01");
    assert!(!same(&named("<1@mail.kz>", inbox), &named("<1@mail.kz>", &later)));
    assert!(same(inbox, &format!("Message-ID: \n{inbox}")));
}
