//! Mails as they come, a table for each row of what must be read out of them.

mod charsets;
mod html;
mod limits;
mod machines;
mod parts;
mod properties;
mod quotes;

use super::*;

/// Reads a mail whose lines are written with plain line feeds.
fn letter(mail: &str) -> Letter {
    read(mail.as_bytes(), &Limits::default())
}

/// A mail with this body and these fields beside an ordinary sender.
fn mail(fields: &str, body: &str) -> String {
    let between = if fields.is_empty() { "" } else { "\n" };
    format!("From: Aigerim <a@mail.kz>\nTo: info@bilal.kz\n{fields}{between}\n{body}")
}

/// What the sender of a plain text in UTF-8 wrote.
fn own(body: &str) -> String {
    letter(&mail("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit", body)).text
}
