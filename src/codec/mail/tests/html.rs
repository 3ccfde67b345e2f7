//! HTML as mail programs write it: what is seen, what is hidden, whose words it is.

use super::*;

fn html(body: &str) -> Letter {
    letter(&mail("Content-Type: text/html; charset=utf-8", body))
}

#[track_caller]
fn check(left: &str, bodies: &[&str]) {
    for body in bodies {
        assert_eq!(html(body).text, left, "{body}");
    }
}

#[test]
fn markup_becomes_the_text_that_is_seen() {
    check(
        "Отпишите меня",
        &[
            "<html><body>Отпишите меня</body></html>",
            "<p>Отпишите&nbsp;меня</p>",
            "<div><b>Отпи</b><i>шите</i> меня</div>",
            "Отпишите\n   меня",
            "&#1054;тпишите &#x43c;еня",
            "<style>p { color: red }</style><script>if (a < b) { x }</script><p>Отпишите меня</p>",
            "<title>Скидки</title><!-- comment > --><p>Отпишите меня",
            "<head><meta charset=utf-8><title>x</title><body>Отпишите меня",
            "<head><body>Отпишите меня",
            "<table><tr><td>Отпишите</td><td>меня</td></tr></table>",
            "<p style='margin:0'>Отпишите меня<o:p></o:p></p>",
            "Отпи&shy;шите ме\u{200B}ня",
            "<![if !mso]>Отпишите меня<![endif]>",
            "<!doctype html><a href=\"x>y\">Отпишите меня</a>",
            "<span>Отпишите меня</spam>",
        ],
    );
    check("a < b & c > d", &["a < b &amp; c &gt; d", "a &lt; b & c > d"]);
    check("a\nb", &["a<br>b", "a<br/>b", "<div>a</div><div>b</div>", "<li>a<li>b", "<pre>a\nb</pre>"]);
    check(
        "a\n\nb",
        &["<p>a</p><p>b</p>", "<p>a<p>b", "a<br><br>b", "<div>a</div><div><br></div><div>b</div>"],
    );
    check("&unknown; \u{FFFD} &", &["&unknown; &#xFFFFFFFF; &"]);
}

#[test]
fn hidden_text_is_nobodys_word() {
    check(
        "Где мой заказ?",
        &[
            "<div style=\"display:none\">Отпишите меня</div>Где мой заказ?",
            "<div style=\"DISPLAY : NONE !important\"><p>Отпишите <b>меня</b></p></div>Где мой заказ?",
            "<span style='font-size:0'>Отпишите</span>Где мой заказ?",
            "<span style='font-size: 0px; color: red'>Отпишите</span>Где мой заказ?",
            "<span style='font-size:1px'>Отпишите</span>Где мой заказ?",
            "<div class=\"preheader\">Отпишите</div>Где мой заказ?",
            "<div style='visibility:hidden'>Отпишите</div>Где мой заказ?",
            "<div style='mso-hide:all'>Отпишите</div>Где мой заказ?",
            "<div style='max-height:0;overflow:hidden'>Отпишите</div>Где мой заказ?",
            "<div style='opacity:0'>Отпишите</div>Где мой заказ?",
            "<div hidden>Отпишите</div>Где мой заказ?",
        ],
    );
    check(
        "Отпишите меня",
        &[
            "<td style='font-size:0'><span style='font-size:14px'>Отпишите меня</span></td>",
            "<div style='opacity:1;max-height:20px;font-size:0.9em'>Отпишите меня</div>",
            "<div style='display:none'>x</div><div>Отпишите меня</div>",
        ],
    );
}

#[test]
fn quotes_of_every_program_are_left_out() {
    check(
        "Где мой заказ?",
        &[
            "<div>Где мой заказ?</div><blockquote>Отписаться</blockquote>",
            // Gmail.
            "<div dir=\"ltr\">Где мой заказ?</div><br><div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">\
         пт, 20 нояб. 2026&nbsp;г. в 12:00, Lulla &lt;<a href=\"mailto:news@lulla.kz\">news@lulla.kz</a>&gt;:<br>\
         </div><blockquote class=\"gmail_quote\"><div>Отписаться</div></blockquote></div>",
            // Outlook on the web and its app.
            "<div>Где мой заказ?</div><div id=\"appendonsend\"></div><hr><div id=\"divRplyFwdMsg\"><b>От:</b> Lulla<br>\
         <b>Тема:</b> Скидки</div><div>Отписаться</div>",
            "<div>Где мой заказ?</div><div id=\"x_divRplyFwdMsg\">From: Lulla</div><p>Отписаться</p>",
            // Outlook for the desktop.
            "<p class=MsoNormal>Где мой заказ?</p><div style='border:none;border-top:solid #E1E1E1 1.0pt;\
         padding:3.0pt 0cm 0cm 0cm'><p><b>De&nbsp;:</b> Lulla</p></div><p>Отписаться</p>",
            "<p>Где мой заказ?</p><p><b>From:</b> Lulla &lt;news@lulla.kz&gt;<br><b>Sent:</b> Friday<br><b>To:</b> A<br>\
         <b>Subject:</b> S</p><p>Отписаться</p>",
            // mail.ru and Yandex.
            "<div>Где мой заказ?</div><blockquote style=\"border-left:1px solid #0857A6;margin:10px\">Пятница, 20 ноября \
         2026, 12:00 +05:00 от Lulla &lt;news@lulla.kz&gt;:<br>Отписаться</blockquote>",
            "<div>Где мой заказ?</div><div>20.11.2026, 12:00, \"Lulla\" &lt;news@lulla.kz&gt;:</div><blockquote><p>\
         Отписаться</p></blockquote>",
            // Yahoo, Thunderbird, Proton.
            "<div>Где мой заказ?</div><div class=\"yahoo_quoted\"><div>On Friday, Lulla wrote:</div>Отписаться</div>",
            "<div class=\"moz-cite-prefix\">20.11.2026 12:00, Lulla пишет:<br></div><blockquote type=\"cite\">Отписаться\
         </blockquote>Где мой заказ?",
            "Где мой заказ?<div class=\"protonmail_quote\">On Friday, Lulla wrote:<br>Отписаться</div>",
        ],
    );
}

#[test]
fn an_answer_between_html_quotes_is_found() {
    check(
        "Отпишите меня",
        &[
            "<div class=\"gmail_quote\"><div class=\"gmail_attr\">On Fri, Nov 20, 2026, Lulla wrote:</div>\
         <blockquote class=\"gmail_quote\">Скидки</blockquote><div>Отпишите меня</div><blockquote>Ещё</blockquote></div>",
            "<blockquote><blockquote>Старое</blockquote>Скидки</blockquote><p>Отпишите меня</p>",
            "<blockquote type=cite>Скидки</blockquote>Отпишите меня",
        ],
    );
    assert!(html("<blockquote>Скидки</blockquote>Отпишите меня").quotes);
}

#[test]
fn an_html_signature_is_set_apart() {
    let letter = html(
        "<div>Стоп</div><div class=\"gmail_signature\"><div>Иван Петров</div><div>8 777 111 31 11</div></div>",
    );
    assert_eq!(letter.text, "Стоп");
    assert!(letter.signature.contains("8 777 111 31 11"));
    check(
        "Стоп",
        &["<p>Стоп</p><div id=\"Signature\"><p>Иван</p></div>", "Стоп<br><br>С уважением,<br>Иван Петров"],
    );
}

#[test]
fn a_paragraph_indented_in_an_editor_is_no_quote() {
    check(
        "Отпишите меня",
        &["<blockquote style=\"margin: 0 0 0 40px; border: none; padding: 0px;\">Отпишите меня</blockquote>"],
    );
}
