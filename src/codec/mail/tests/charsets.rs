//! Texts and subjects in every encoding that mail here comes in, with right, wrong and missing labels.

use encoding_rs::{Encoding, IBM866, ISO_8859_5, KOI8_R, WINDOWS_1251, X_MAC_CYRILLIC};

use super::*;

/// What people write, from one word to a letter.
const TEXTS: &[&str] = &[
    "Стоп",
    "СТОП",
    "Отписаться",
    "отпишите меня",
    "Отпишите меня от рассылки, пожалуйста.",
    "Не присылайте мне больше писем на этот адрес, я на вас не подписывался!",
    "Здравствуйте! Мой номер 8 777 111 31 11, уберите его из базы. Спасибо, Ирина",
    "Жарнама керек емес",
];

/// A mail whose body is these bytes.
fn bytes(content_type: &str, body: &[u8]) -> Vec<u8> {
    let fields =
        if content_type.is_empty() { String::new() } else { format!("Content-Type: {content_type}") };
    let mut raw = mail(&fields, "").into_bytes();
    raw.extend(body);
    raw
}

fn encoded(encoding: &'static Encoding, text: &str) -> Vec<u8> {
    let (bytes, _, lossy) = encoding.encode(text);
    assert!(!lossy, "{text}");
    bytes.into_owned()
}

/// KZ-1048: windows-1251 with the Kazakh letters in their places.
fn kazakh(text: &str) -> Vec<u8> {
    const LETTERS: &str = "ҚқҰұӘәӨөҒғҮүҢңҺһ";
    const PLACES: [u8; 16] =
        [0x8D, 0x9D, 0xA1, 0xA2, 0xA3, 0xBC, 0xA5, 0xB4, 0xAA, 0xBA, 0xAF, 0xBF, 0xBD, 0xBE, 0x8E, 0x9E];
    let byte = |c: char| LETTERS.chars().position(|letter| letter == c).map(|place| PLACES[place]);
    text.chars()
        .flat_map(|c| byte(c).map_or_else(|| encoded(WINDOWS_1251, &c.to_string()), |b| vec![b]))
        .collect()
}

#[track_caller]
fn check(raw: &[u8], text: &str, how: &str) {
    let letter = read(raw, &Limits::default());
    assert_eq!(letter.text, text, "{how}");
    assert_eq!(letter.unread, None, "{how}: {text}");
}

#[test]
fn a_rightly_labelled_text_is_read() {
    let labels: &[(&str, &'static Encoding)] = &[
        ("windows-1251", WINDOWS_1251),
        ("Windows-1251", WINDOWS_1251),
        ("\"windows-1251\"", WINDOWS_1251),
        ("cp1251", WINDOWS_1251),
        ("cp-1251", WINDOWS_1251),
        ("win-1251", WINDOWS_1251),
        ("x-cp1251", WINDOWS_1251),
        ("koi8-r", KOI8_R),
        ("KOI8-R", KOI8_R),
        ("koi8", KOI8_R),
        ("x-koi8-r", KOI8_R),
        ("cp866", IBM866),
        ("ibm866", IBM866),
        ("iso-8859-5", ISO_8859_5),
        ("ISO_8859-5", ISO_8859_5),
        ("x-mac-cyrillic", X_MAC_CYRILLIC),
        ("mac-cyrillic", X_MAC_CYRILLIC),
    ];
    for (label, encoding) in labels {
        for text in TEXTS {
            let raw = bytes(&format!("text/plain; charset={label}"), &encoded(encoding, text));
            check(&raw, text, label);
        }
    }
}

#[test]
fn a_wrong_or_missing_label_is_seen_through() {
    let wrong = ["us-ascii", "iso-8859-1", "windows-1252", "utf-8", "x-unknown", "", "iso-8859-15", "latin1"];
    for encoding in [WINDOWS_1251, KOI8_R] {
        for text in TEXTS {
            for label in wrong {
                let content_type =
                    if label.is_empty() { String::new() } else { format!("text/plain; charset={label}") };
                let raw = bytes(&content_type, &encoded(encoding, text));
                check(&raw, text, &format!("{} as {label}", encoding.name()));
            }
        }
    }
}

#[test]
fn one_cyrillic_label_for_another_is_seen_through() {
    for (label, encoding) in [
        ("windows-1251", KOI8_R),
        ("koi8-r", WINDOWS_1251),
        ("iso-8859-5", WINDOWS_1251),
        ("cp866", WINDOWS_1251),
        ("windows-1251", IBM866),
    ] {
        for text in &TEXTS[3..] {
            let raw = bytes(&format!("text/plain; charset={label}"), &encoded(encoding, text));
            check(&raw, text, &format!("{} as {label}", encoding.name()));
        }
    }
}

#[test]
fn utf_8_is_utf_8_whatever_the_label() {
    for label in ["windows-1251", "koi8-r", "us-ascii", "iso-8859-1", "x-unknown", "gb2312", "big5"] {
        for text in TEXTS.iter().chain(&["Таратылымнан бас тартамын, хабарлама жібермеңіз", "Тоқта"])
        {
            check(&bytes(&format!("text/plain; charset={label}"), text.as_bytes()), text, label);
        }
    }
}

#[test]
fn the_kazakh_encodings_are_read_also_under_the_russian_label() {
    for text in ["Таратылымнан бас тартамын", "Хабарлама жібермеңіз, өтінемін", "Тоқтатыңыз", "Мазаламаңыз"]
    {
        for label in ["kz-1048", "STRK1048-2002", "windows-1251", "us-ascii"] {
            check(&bytes(&format!("text/plain; charset={label}"), &kazakh(text)), text, label);
        }
    }
    check(&bytes("text/plain; charset=PT154", b"\x8C\x9C \xB5\xBA"), "Ңң өә", "PT154");
}

#[test]
fn wide_encodings_are_read_with_and_without_a_mark() {
    let text = "Отпишите меня, stop";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    check(&bytes("text/plain; charset=utf-16le", &little), text, "utf-16le");
    check(&bytes("text/plain; charset=utf-16be", &big), text, "utf-16be");
    check(&bytes("text/plain; charset=utf-16", &[&[0xFF, 0xFE][..], &little].concat()), text, "mark");
    check(&bytes("text/plain; charset=utf-16", &[&[0xFE, 0xFF][..], &big].concat()), text, "mark");
    check(&bytes("text/plain", &[&[0xEF, 0xBB, 0xBF][..], text.as_bytes()].concat()), text, "utf-8 mark");
    check(&bytes("text/plain; charset=utf-7", b"+BB4EQgQ/- stop"), "Отп stop", "utf-7");
}

#[test]
fn text_that_was_encoded_twice_is_read() {
    let twice = |wrong: &'static Encoding| wrong.decode_without_bom_handling("Отпишите меня".as_bytes()).0;
    for wrong in [WINDOWS_1251, encoding_rs::WINDOWS_1252] {
        check(&bytes("text/plain; charset=utf-8", twice(wrong).as_bytes()), "Отпишите меня", wrong.name());
    }
}

#[test]
fn a_stray_byte_does_not_make_a_text_unreadable() {
    let mut body = "Отпишите меня от рассылки, больше не пишите мне никогда, спасибо".as_bytes().to_vec();
    body.insert(2, 0xFF);
    let letter = read(&bytes("text/plain; charset=utf-8", &body), &Limits::default());
    assert_eq!(letter.unread, None);
    assert!(letter.text.contains("меня от рассылки"), "{}", letter.text);
}

#[test]
fn western_letters_stay_what_they_are() {
    for text in ["Désabonnez-moi, s'il vous plaît", "Bitte löschen Sie mich", "Günaydın"] {
        let latin: Vec<u8> = encoding_rs::WINDOWS_1254.encode(text).0.into_owned();
        check(&bytes("text/plain; charset=windows-1254", &latin), text, "windows-1254");
    }
    let latin = encoded(encoding_rs::WINDOWS_1252, "Désabonnez-moi, s'il vous plaît");
    check(&bytes("text/plain; charset=iso-8859-1", &latin), "Désabonnez-moi, s'il vous plaît", "latin1");
}

#[test]
fn what_cannot_be_told_is_unread() {
    let noise: Vec<u8> = (0..400_u32).map(|i| 0x80 | u8::try_from(i * 7919 % 128).unwrap()).collect();
    let letter = read(&bytes("text/plain; charset=x-user-defined-9", &noise), &Limits::default());
    assert_eq!(letter.unread, Some(Unread::Charset));
    assert_eq!(letter.from, ["a@mail.kz"]);
}

/// Mails of which the subject is read.
#[track_caller]
fn subject(raw: &[u8], subject: &str) {
    let raw = [b"From: a@mail.kz\nSubject: ", raw, b"\n\nx\n"].concat();
    assert_eq!(read(&raw, &Limits::default()).subject, subject);
}

#[test]
fn encoded_words_are_read_however_a_program_broke_them() {
    for (raw, expected) in [
        ("=?utf-8?B?0J7RgtC/0LjRgdCw0YLRjNGB0Y8=?=", "Отписаться"),
        ("=?UTF-8?Q?=D0=A1=D1=82=D0=BE=D0=BF_=D1=81=D0=BF=D0=B0=D0=BC?=", "Стоп спам"),
        ("=?windows-1251?B?zvLv6PHg8vzx/w==?=", "Отписаться"),
        ("=?koi8-r?Q?=EF=D4=D0=C9=D3=C1=D4=D8=D3=D1?=", "Отписаться"),
        // A language, and the wrong charset.
        ("=?utf-8*ru?B?0J7RgtC/0LjRgdCw0YLRjNGB0Y8=?=", "Отписаться"),
        ("=?us-ascii?B?zvLv6PHg8vzx/w==?=", "Отписаться"),
        // Cut in the middle of a character.
        ("=?utf-8?B?0J7RgtC/0A==?=\n =?utf-8?B?uNGB0LDRgtGM0YHRjw==?=", "Отписаться"),
        ("=?utf-8?Q?=D0=9E=D1?= =?utf-8?Q?=82=D0=BF?=", "Отп"),
        // Cut in the middle of a group of base64.
        ("=?utf-8?B?0J7RgtC/0LjR?=\n =?utf-8?B?gdCw0YLRjNGB0Y8=?=", "Отписаться"),
        ("=?utf-8?B?0J7RgtC/0LjRgd?=\n =?utf-8?B?Cw0YLRjNGB0Y8=?=", "Отписаться"),
        // Not separated, and text around.
        ("=?utf-8?B?0KHRgtC+?==?utf-8?B?0L8=?=", "Стоп"),
        ("Re: =?utf-8?B?0KHRgtC+0L8=?= now", "Re: Стоп now"),
        ("Re:=?utf-8?B?0KHRgtC+0L8=?=", "Re:Стоп"),
        // Spaces inside, no padding, folded.
        ("=?utf-8?Q?=D0=A1=D1=82=D0=BE=D0=BF now?=", "Стоп now"),
        ("=?utf-8?B?0KHRgtC+0L8?=", "Стоп"),
        // What is no encoded word.
        ("=?utf-8?X?abc?=", "=?utf-8?X?abc?="),
        ("a =?b? c", "a =?b? c"),
        ("=?", "=?"),
        ("50%=?off", "50%=?off"),
    ] {
        subject(raw.as_bytes(), expected);
    }
}

#[test]
fn raw_text_in_a_header_is_read() {
    subject("Отписаться".as_bytes(), "Отписаться");
    subject(&encoded(WINDOWS_1251, "Отпишите меня"), "Отпишите меня");
    subject(&encoded(KOI8_R, "Отпишите меня"), "Отпишите меня");
    subject(b"unsubscribe\tme\r\n  please", "unsubscribe me please");
}

#[test]
fn a_sender_is_found_behind_any_name() {
    for (from, expected) in [
        ("a@mail.kz", "a@mail.kz"),
        ("<a@mail.kz>", "a@mail.kz"),
        ("=?utf-8?B?0JjQstCw0L0=?= <a@mail.kz>", "a@mail.kz"),
        ("\"b@evil.kz\" <a@mail.kz>", "a@mail.kz"),
        ("\"Иванов, Иван\" <a@mail.kz>", "a@mail.kz"),
        ("a@mail.kz (Ivan (junior) Petrov)", "a@mail.kz"),
        ("Ivan <<a@mail.kz>>", "a@mail.kz"),
        ("=?utf-8?B?0JjQstCw0L0gPGFAbWFpbC5rej4=?=", "a@mail.kz"),
        ("'a@mail.kz' <a@mail.kz>", "a@mail.kz"),
        ("Group: a@mail.kz;", "a@mail.kz"),
    ] {
        assert_eq!(letter(&format!("From: {from}\n\nx\n")).from, [expected], "{from}");
    }
    assert_eq!(letter("From: a@b.kz, c@d.kz\nReply-To: e@f.kz\n\nx").from, ["a@b.kz", "c@d.kz"]);
    assert_eq!(letter("From: a@b.kz\nReply-To: e@f.kz\n\nx").reply_to, ["e@f.kz"]);
}
