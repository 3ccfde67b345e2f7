//! What machines write: automatic answers, delivery failures, spam reports, verdicts on the sender.

use super::*;
use crate::domain::mail::letter::{Authentication, Report};

#[test]
fn an_automatic_mail_is_told_by_its_marks_alone() {
    for (field, mark) in [
        ("Auto-Submitted: auto-replied", Some(Automatic::AutoSubmitted)),
        ("Auto-Submitted: Auto-Generated; x=y", Some(Automatic::AutoSubmitted)),
        ("auto-submitted: auto-replied (vacation)", Some(Automatic::AutoSubmitted)),
        ("Auto-Submitted: no", None),
        ("Auto-Submitted: No (by hand)", None),
        ("X-Autoreply: yes", Some(Automatic::XAutoreply)),
        ("X-Autorespond: Re: x", Some(Automatic::XAutorespond)),
        ("Return-Path: <>", Some(Automatic::EmptyReturnPath)),
        ("Return-Path: < >", Some(Automatic::EmptyReturnPath)),
        ("Return-Path: <a@mail.kz>", None),
        ("Return-Path:", None),
        ("X-Auto-Response-Suppress: All", None),
        ("Precedence: bulk", None),
        ("List-Unsubscribe: <mailto:x@y.kz>", None),
    ] {
        assert_eq!(letter(&mail(field, "Стоп")).automatic, mark, "{field}");
    }
}

/// A report of this kind with these machine's fields.
fn report(kind: &str, part: &str, fields: &str, original: &str) -> String {
    mail(
        &format!("Content-Type: multipart/report; report-type={kind}; boundary=R"),
        &format!(
            "--R\n\nСообщение не доставлено. Отписаться.\n--R\nContent-Type: message/{part}\n\n{fields}\n--R\n\
             Content-Type: message/rfc822\n\n{original}\n--R--\n"
        ),
    )
}

#[test]
fn addresses_that_failed_for_good_are_told() {
    let head = "Reporting-MTA: dns; mx.mail.kz\n";
    for (fields, failed) in [
        ("\nFinal-Recipient: rfc822; b@c.kz\nAction: failed\nStatus: 5.1.1\n", &["b@c.kz"][..]),
        ("\nFinal-Recipient: RFC822;b@c.kz\nAction: Failed\nStatus: 5.7.1 (denied)\n", &["b@c.kz"]),
        (
            "\nOriginal-Recipient: rfc822;a@c.kz\nFinal-Recipient: rfc822;b@c.kz\nAction: failed\nStatus: 5.0.0\n",
            &["a@c.kz", "b@c.kz"],
        ),
        (
            "\nFinal-Recipient: rfc822; <b@c.kz>\nAction: failed\nStatus: 5.1.1\n\nFinal-Recipient: rfc822; d@e.kz\n\
          Action: failed\nStatus: 5.2.1\n",
            &["b@c.kz", "d@e.kz"],
        ),
        // Soft, delayed, delivered.
        ("\nFinal-Recipient: rfc822; b@c.kz\nAction: failed\nStatus: 4.4.1\n", &[]),
        ("\nFinal-Recipient: rfc822; b@c.kz\nAction: delayed\nStatus: 4.4.1\n", &[]),
        ("\nFinal-Recipient: rfc822; b@c.kz\nAction: relayed\nStatus: 2.0.0\n", &[]),
        (
            "\nFinal-Recipient: rfc822; b@c.kz\nAction: failed\nStatus: 4.4.1\n\nFinal-Recipient: rfc822; d@e.kz\n\
          Action: failed\nStatus: 5.1.1\n",
            &["d@e.kz"],
        ),
        // No empty line between, or at all; no status, but the other server's answer; other address types.
        (
            "Final-Recipient: rfc822; b@c.kz\nAction: failed\nStatus: 5.1.1\nFinal-Recipient: rfc822; d@e.kz\nAction: failed\n\
          Status: 4.0.0\n",
            &["b@c.kz"],
        ),
        (
            "\nFinal-Recipient: rfc822; b@c.kz\nAction: failed\nDiagnostic-Code: smtp; 550 5.1.1 unknown\n",
            &["b@c.kz"],
        ),
        ("\nFinal-Recipient: rfc822; b@c.kz\nAction: failed\nDiagnostic-Code: smtp; 451 later\n", &[]),
        ("\nFinal-Recipient: x400; /c=KZ/@x.kz\nAction: failed\nStatus: 5.1.1\n", &[]),
        ("\nFinal-Recipient: rfc822; unknown\nAction: failed\nStatus: 5.1.1\n", &[]),
        ("\nFinal-Recipient: b@c.kz\nAction: failed\nStatus: 5.1.1\n", &["b@c.kz"]),
        ("", &[]),
        ("\nStatus: 5.1.1\nAction: failed\n", &[]),
    ] {
        let raw = report("delivery-status", "delivery-status", &format!("{head}{fields}"), "To: z@y.kz\n\nx");
        let expected = failed.iter().map(|&address| address.to_owned()).collect();
        assert_eq!(letter(&raw).report, Some(Report::Delivery { failed: expected }), "{fields}");
    }
    let bare =
        mail("Content-Type: multipart/report; report-type=delivery-status; boundary=R", "--R\n\nfailed\n");
    assert_eq!(letter(&bare).report, Some(Report::Delivery { failed: Vec::new() }));
}

#[test]
fn people_who_called_our_mail_spam_are_told() {
    let original = "From: news@lulla.kz\nTo: Айгерім <c@d.kz>\nSubject: s\n\nx";
    let complained = |fields: &str, original: &str| {
        letter(&report("feedback-report", "feedback-report", fields, original)).report
    };
    let abuse = |addresses: &[&str]| {
        Some(Report::Abuse { complained: addresses.iter().map(|&address| address.to_owned()).collect() })
    };
    let told = "Feedback-Type: abuse\nVersion: 1\nOriginal-Rcpt-To: <b@c.kz>\n";
    assert_eq!(complained(told, original), abuse(&["b@c.kz"]));
    let several = "Feedback-Type: abuse\nOriginal-Rcpt-To: rfc822; b@c.kz\nOriginal-Rcpt-To: e@f.kz\n";
    assert_eq!(complained(several, original), abuse(&["b@c.kz", "e@f.kz"]));
    assert_eq!(complained("Feedback-Type: abuse\n", original), abuse(&["c@d.kz"]));
    assert_eq!(
        complained("Feedback-Type: opt-out\nRemoval-Recipient: g@h.kz\n", original),
        abuse(&["g@h.kz"])
    );
    assert_eq!(complained("Version: 1\n", original), abuse(&["c@d.kz"]));
    let redacted = "Feedback-Type: abuse\nOriginal-Rcpt-To: redacted\n";
    assert_eq!(complained(redacted, "From: news@lulla.kz\n\nx"), abuse(&[]));
    assert_eq!(
        complained("Feedback-Type: not-spam\nOriginal-Rcpt-To: b@c.kz\n", original),
        Some(Report::Other)
    );
    assert_eq!(complained("Feedback-Type: auth-failure\n", original), Some(Report::Other));
}

#[test]
fn a_receipt_of_reading_is_a_report_against_nobody() {
    let fields = "Final-Recipient: rfc822; b@c.kz\nDisposition: manual-action/MDN-sent-manually; displayed\n";
    let raw = report("disposition-notification", "disposition-notification", fields, "To: x@y.kz\n\nx");
    assert_eq!(letter(&raw).report, Some(Report::Other));
    assert_eq!(letter(&mail("", "Стоп")).report, None);
}

#[test]
fn the_senders_of_forwarded_mails_are_told() {
    let block = "Кому: info@bilal.kz\nОт: Айгерім <c@d.kz>\nДата: 20 ноября 2026\nТема: x\n\nОтпишите меня";
    let outlook =
        "From: Aigerim <c@d.kz>\nSent: Friday, November 20, 2026\nTo: info\nSubject: x\n\nОтпишите меня";
    for (subject, body) in [
        ("Fwd: x", format!("Коллеги, посмотрите\n\n---------- Forwarded message ---------\n{outlook}")),
        ("x", format!("-------- Пересылаемое сообщение --------\n{block}")),
        (
            "x",
            "Начало переадресованного сообщения:\n\n> От: Айгерім <c@d.kz>\n> Тема: x\n> Дата: 20 ноября\n>\n> x".to_owned(),
        ),
        ("x", format!("Begin forwarded message:\n\n{outlook}")),
        ("FW: x", format!("fyi\n\n________________________________\n{outlook}")),
        ("HA: Fw: x", outlook.to_owned()),
        (
            "x",
            "----- Пересылаемое сообщение от Айгерім <c@d.kz> -----\nОт: c@d.kz\nТема: x\nДата: y\n"
                .to_owned(),
        ),
    ] {
        let letter = letter(&mail(&format!("Subject: {subject}"), &body));
        assert_eq!(letter.forwarded_from, ["c@d.kz"], "{body}");
        assert!(!letter.text.contains("Отпишите"), "{body}");
    }
    let answer = letter(&mail("Subject: Re: x", &format!("Спасибо\n\n{outlook}")));
    assert!(answer.forwarded_from.is_empty() && answer.quotes, "an answer forwards nothing");
    let chain = format!(
        "---------- Forwarded message ---------\nFrom: B <b@bilal.kz>\nDate: x\nSubject: y\nTo: z\n\n\
         ---------- Forwarded message ---------\n{outlook}"
    );
    assert_eq!(letter(&mail("", &chain)).forwarded_from, ["b@bilal.kz", "c@d.kz"]);
    let attached = mail(
        "Subject: fwd\nContent-Type: multipart/mixed; boundary=B",
        "--B\n\nсм. вложение\n--B\nContent-Type: message/rfc822\n\nFrom: Aigerim <c@d.kz>\n\nОтпишите\n--B--\n",
    );
    let attached = letter(&attached);
    assert_eq!(
        (attached.forwarded_from, attached.text.as_str()),
        (vec!["c@d.kz".to_owned()], "см. вложение")
    );
}

fn verdict(fields: &str) -> Authentication {
    let limits = Limits { authserv_id: Some("mx.bilal.kz".to_owned()), ..Limits::default() };
    read(mail(fields, "Стоп").as_bytes(), &limits).authentication
}

#[test]
fn our_own_servers_verdict_counts() {
    use Authentication::{Failed, Passed, Unknown};
    for (results, expected) in [
        ("dmarc=pass header.from=mail.kz", Passed),
        ("dmarc=fail (p=reject; dis=none) header.from=mail.kz", Failed),
        ("dmarc = pass (a (b) c) header.from=MAIL.kz", Passed),
        ("spf=fail smtp.mailfrom=x.kz; dkim=pass header.d=mail.kz; dmarc=pass header.from=mail.kz", Passed),
        ("spf=pass smtp.mailfrom=a@mail.kz; dkim=pass header.d=mail.kz; dmarc=fail", Failed),
        ("spf=pass smtp.mailfrom=a@mail.kz; dmarc=none header.from=mail.kz", Passed),
        ("dkim=pass (2048-bit key) header.d=mail.kz header.i=@mail.kz", Passed),
        ("dkim=pass header.i=@sub.mail.kz", Passed),
        ("dkim=fail header.d=mail.kz; dkim=pass header.d=mail.kz", Passed),
        ("spf=pass smtp.mailfrom=evil.kz; dkim=pass header.d=evil.kz", Unknown),
        ("spf=pass smtp.mailfrom=notmail.kz", Unknown),
        ("spf=pass smtp.mailfrom=kz", Unknown),
        ("spf=fail smtp.mailfrom=mail.kz; dkim=fail header.d=mail.kz", Failed),
        ("spf=softfail smtp.mailfrom=mail.kz; dkim=none", Unknown),
        ("spf=fail smtp.mailfrom=mail.kz", Unknown),
        ("dmarc=pass header.from=evil.kz", Unknown),
        ("dmarc=temperror", Unknown),
        ("none", Unknown),
        ("(dmarc=pass)", Unknown),
        ("x=y dmarc=pass", Unknown),
        ("", Unknown),
    ] {
        assert_eq!(
            verdict(&format!("Authentication-Results: mx.bilal.kz; {results}")),
            expected,
            "{results}"
        );
        assert_eq!(
            verdict(&format!("Authentication-Results: MX.bilal.kz 1;\n {results}")),
            expected,
            "{results}"
        );
    }
}

#[test]
fn nobody_elses_verdict_counts() {
    use Authentication::{Failed, Passed, Unknown};
    let of = |server: &str, result: &str| format!("Authentication-Results: {server}; dmarc={result}");
    for server in ["mx.evil.kz", "mx.bilal.kz.evil.kz", "(mx.bilal.kz) evil", "evil mx.bilal.kz", ""] {
        assert_eq!(verdict(&of(server, "pass")), Unknown, "{server}");
    }
    let two = |first: String, second: String| format!("{first}\nReceived: from x\n{second}");
    let (fail, pass) = (of("mx.bilal.kz", "fail"), of("mx.bilal.kz", "pass"));
    assert_eq!(verdict(&two(fail.clone(), pass.clone())), Failed, "a forged one stands below ours");
    assert_eq!(verdict(&two(of("mx.bilal.kz", "none"), pass.clone())), Unknown);
    assert_eq!(verdict(&two(of("mx.evil.kz", "pass"), fail)), Failed);
    assert_eq!(letter(&mail(&pass, "x")).authentication, Unknown, "our server has no name in the settings");
    let several = format!("From: a@mail.kz, b@evil.kz\n{pass}\n\nx");
    let limits = Limits { authserv_id: Some("mx.bilal.kz".to_owned()), ..Limits::default() };
    assert_eq!(read(several.as_bytes(), &limits).authentication, Unknown, "which of the two?");
    assert_eq!(read(format!("From: a@mail.kz\n{pass}\n\nx").as_bytes(), &limits).authentication, Passed);
}
