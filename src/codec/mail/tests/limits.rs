//! Huge and deep mails: cut where the limits say, with the sender known, in bounded time.

use std::time::{Duration, Instant};

use super::*;

/// Reads a hostile mail. The time is far above what is needed and far below what a runaway would take.
#[track_caller]
fn hostile(raw: &[u8]) -> Letter {
    let begun = Instant::now();
    let letter = read(raw, &Limits::default());
    assert!(begun.elapsed() < Duration::from_mins(1), "took {:?}", begun.elapsed());
    letter
}

#[test]
fn a_huge_mail_is_cut_and_its_sender_known() {
    let limits = Limits { mail_bytes_max: 1000, ..Limits::default() };
    let fits = mail("", "Стоп");
    assert_eq!(read(fits.as_bytes(), &limits).unread, None);
    let large = mail("", &format!("Стоп\n\n> {}", "x".repeat(2000)));
    let letter = read(large.as_bytes(), &limits);
    assert_eq!(letter.unread, Some(Unread::TooLarge));
    assert_eq!((letter.from.as_slice(), letter.text.as_str()), (&["a@mail.kz".to_owned()][..], "Стоп"));
}

#[test]
fn every_limit_says_too_large() {
    let default = Limits::default;
    let two_parts = "--B\n\na\n--B\n\nb\n--B--\n";
    let deep = "--B\nContent-Type: multipart/mixed; boundary=C\n\n--C\n\na\n--C--\n--B--\n";
    let multipart = "Content-Type: multipart/mixed; boundary=B";
    for (limits, fields, body) in [
        (Limits { parts_max: 2, ..default() }, multipart, two_parts),
        (Limits { depth_max: 1, ..default() }, multipart, deep),
        (Limits { text_bytes_max: 3, ..default() }, "", "abcd"),
        (Limits { text_bytes_max: 3, ..default() }, multipart, "--B\n\nab\n--B\n\ncd\n--B--\n"),
        (Limits { field_bytes_max: 20, ..default() }, "Subject: something longer than that", "a"),
        (Limits { fields_max: 2, ..default() }, "Subject: s", "a"),
        (Limits { header_bytes_max: 20, ..default() }, "X-Filler: 12345678901234567890\nSubject: s", "a"),
    ] {
        let raw = mail(fields, body);
        assert_eq!(read(raw.as_bytes(), &default()).unread, None, "{raw}");
        assert_eq!(read(raw.as_bytes(), &limits).unread, Some(Unread::TooLarge), "{raw}");
    }
    let many = format!("From: {}\n\nx", "a@b.kz, ".repeat(3) + "c@d.kz, e@f.kz");
    let limits = Limits { addresses_max: 2, ..default() };
    assert_eq!(read(many.as_bytes(), &limits).from.len(), 2);
}

#[test]
fn nesting_as_deep_as_the_input_says_is_bounded_work() {
    let nested = "Content-Type: message/rfc822\n\n".repeat(100_000);
    hostile(format!("From: a@mail.kz\n{nested}").as_bytes());
    let digest = "Content-Type: multipart/digest; boundary=B\n\n--B\n\n".repeat(100_000);
    hostile(format!("From: a@mail.kz\n{digest}").as_bytes());
    let mut multiparts = String::from("From: a@mail.kz\n");
    for i in 0..5_000 {
        multiparts += "Content-Type: multipart/mixed; boundary=B";
        multiparts += &i.to_string();
        multiparts += "\n\n--B";
        multiparts += &i.to_string();
        multiparts += "\n";
    }
    let letter = hostile(multiparts.as_bytes());
    assert_eq!((letter.unread, letter.from), (Some(Unread::TooLarge), vec!["a@mail.kz".to_owned()]));
}

#[test]
fn hostile_headers_are_bounded_work() {
    for (name, value) in [
        ("From", "(".repeat(1 << 20)),
        ("From", "<".repeat(1 << 20)),
        ("From", "\"".repeat(1 << 20)),
        ("From", "a@b.kz,".repeat(1 << 17)),
        ("From", "=?a?q?".repeat(1 << 17)),
        ("Subject", "=?".repeat(1 << 19)),
        ("Subject", "=?utf-8?B?".repeat(1 << 17)),
        ("Content-Type", "multipart/mixed; ".to_owned() + &"a=b; ".repeat(1 << 17)),
        ("Content-Type", "(".repeat(1 << 20)),
        ("Content-Type", "text/plain; ".to_owned() + &"x*0*=''a; ".repeat(1 << 17)),
        ("Authentication-Results", "((".repeat(1 << 19)),
    ] {
        hostile(format!("{name}: {value}\n\nx").as_bytes());
    }
    hostile(format!("From: a@mail.kz\n{}\nx", "Subject: s\n".repeat(1 << 17)).as_bytes());
    hostile(format!("From: a@mail.kz\nSubject: s\n{}\nx", " y\n".repeat(1 << 18)).as_bytes());
}

#[test]
fn hostile_bodies_are_bounded_work() {
    let size = 1 << 17;
    for (kind, unit) in [
        ("html", "<div>"),
        ("html", "</div>"),
        ("html", "<blockquote>"),
        ("html", "<"),
        ("html", "<!--"),
        ("html", "<a b='"),
        ("html", "<p>x"),
        ("html", "&#"),
        ("html", "&amp"),
        ("html", "<style>"),
        ("html", "<b></i>"),
        ("html", "</style"),
        ("plain", "> "),
        ("plain", ">\n"),
        ("plain", "On 20 Nov 2026 12:00\n"),
        ("plain", "От:\n"),
        ("plain", "From: a\nDate: b\n"),
        ("plain", "--\n"),
        ("plain", "----- Forwarded message -----\n"),
        ("plain", "с уважением "),
        ("plain", "написал:\n"),
        ("plain", "\u{3C0}"),
        ("plain", "="),
        ("plain", "= "),
    ] {
        let body = unit.repeat(size / unit.len());
        hostile(mail(&format!("Content-Type: text/{kind}"), &body).as_bytes());
        let quoted = format!("Content-Type: text/{kind}\nContent-Transfer-Encoding: quoted-printable");
        hostile(mail(&quoted, &body).as_bytes());
    }
    let mut raw = mail("Content-Type: text/plain", "").into_bytes();
    raw.extend((0..size).map(|i| 0x80 | u8::try_from(i * 31 % 128).unwrap()));
    hostile(&raw);
    let delimiters = mail("Content-Type: multipart/mixed; boundary=B", &"--B\n\n".repeat(100_000));
    assert_eq!(hostile(delimiters.as_bytes()).unread, Some(Unread::TooLarge));
}
