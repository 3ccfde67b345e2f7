//! What holds for any bytes at all.

use proptest::prelude::*;

use super::*;

/// Mails with something of everything, to be damaged.
const SEEDS: &[&str] = &[
    "From: =?utf-8?B?0JjQstCw0L0=?= <a@mail.kz>\nSubject: =?koi8-r?Q?=EF=D4?= x\nAuthentication-Results: mx; dmarc=pass\n\
     Content-Type: multipart/alternative; boundary=\"B\"\n\n--B\nContent-Type: text/plain; charset=windows-1251\n\
     Content-Transfer-Encoding: base64\n\nzvLv6PHg8vzx/w==\n--B\nContent-Type: text/html; charset=utf-8\n\
     Content-Transfer-Encoding: quoted-printable\n\n<p style=3D\"display:none\">x</p><blockquote>=D0=9E</blockquote>&nbsp;\n\
     --B--\n",
    "From: a@mail.kz\nContent-Type: multipart/report; report-type=delivery-status; boundary=R\n\n--R\n\nfailed\n--R\n\
     Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; b@c.kz\nAction: failed\n\
     Status: 5.1.1\n--R\nContent-Type: message/rfc822\n\nFrom: x@y.kz\nTo: b@c.kz\n\nx\n--R--\n",
    "From: a@mail.kz\nContent-Type: text/plain; format=flowed; delsp=yes\n\nСтоп \n-- \nИван\n\nOn Fri, Nov 20, 2026 at 12:00 \
     Lulla <n@l.kz> wrote:\n> x\n> > y\n\n-----Original Message-----\nFrom: X <x@y.kz>\nSent: Friday\nTo: Y\nSubject: Z\n\n",
];

fn is_sound(raw: &[u8]) {
    let limits = Limits { authserv_id: Some("mx".to_owned()), ..Limits::default() };
    let letter = read(raw, &limits);
    assert!(letter == read(raw, &limits), "the same bytes give the same letter");
    assert!(letter.from.len() <= limits.addresses_max && letter.text.len() <= limits.text_bytes_max);
    assert!(identity(raw) == identity(raw));
    assert!(quote::split(&letter.text, false).own.len() <= letter.text.len(), "nothing is invented");
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(raw in prop::collection::vec(any::<u8>(), 0..400)) {
        is_sound(&raw);
        is_sound(&[b"From: a@mail.kz\nContent-Type: text/html\n\n", raw.as_slice()].concat());
        is_sound(&[b"Subject: =?", raw.as_slice()].concat());
        is_sound(&[b"From: ", raw.as_slice()].concat());
    }

    #[test]
    fn any_markup_is_read_without_a_panic(text in "[<>/a-z\"'=&;#x0-9 \n!\\-пэ\u{A0}]{0,200}") {
        is_sound(format!("From: a@mail.kz\nContent-Type: text/html; charset=utf-8\n\n{text}").as_bytes());
    }

    #[test]
    fn any_lines_are_split_without_a_panic(text in "([>\\-*_: @.0-9А-яA-z<ңə]{0,20}|С уважением|wrote:|От: a@b.kz|\n){0,40}") {
        let split = quote::split(&text, true);
        let again = quote::split(&split.own, true);
        prop_assert!(again.own.len() <= split.own.len());
    }

    #[test]
    fn a_damaged_mail_is_read_without_a_panic(
        seed in 0..SEEDS.len(),
        damages in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..12),
    ) {
        let mut raw = SEEDS[seed].as_bytes().to_vec();
        for (at, byte, how) in damages {
            let at = at.index(raw.len().max(1));
            match how {
                0 if at < raw.len() => raw[at] = byte,
                1 => raw.insert(at.min(raw.len()), byte),
                2 => raw.truncate(at.max(raw.len() / 2)),
                _ => raw.extend_from_within(at.min(raw.len())..),
            }
            raw.truncate(20_000);
        }
        is_sound(&raw);
    }
}
