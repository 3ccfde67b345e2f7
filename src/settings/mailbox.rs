//! `[mailbox]`: the mailbox that people write to, read over IMAP. Left out, no mail is read.
//!
//! A password never goes over a network in the clear: without TLS only this machine itself is reached.

use std::path::PathBuf;
use std::time::Duration;

use config::Value;
use jiff::civil::Date;

use super::secret::{self, Secret};
use super::section::Section;
use super::tls::is_this_machine;
use super::values::{Parsed, file, list, name, seconds, text, whole};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const HOST_BYTES_MAX: usize = 253;
const USER_BYTES_MAX: usize = 255;
/// One connection each.
const FOLDERS_MAX: usize = 8;
const FOLDER_BYTES_MAX: usize = 255;
const OWN_MAX: usize = 100;

/// How to reach the mailbox, and what to do with what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The IMAP server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: MailboxTls,
    /// The login.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// Who may have signed the server's certificate; `None`: whom this machine trusts.
    pub ca_file: Option<PathBuf>,
    /// The folders that are read, each on a connection of its own.
    pub folders: Vec<String>,
    /// How its mails are understood.
    pub understanding: Understanding,
    /// The source in whose name events are published.
    pub source: String,
    /// How long a folder goes without being looked at as a whole.
    pub poll: Duration,
    /// Where mails go that need nobody any more; `None`: they stay.
    pub move_to: Option<String>,
    /// Where mails go that a person must read; `None`: they stay.
    pub review_to: Option<String>,
    /// What came before that day is left alone.
    pub since: Option<Date>,
    /// Mails in an hour that ask for something and are not from whom they say, before that is alarmed.
    pub forged_per_hour_max: usize,
}

/// How a mail is understood: all that is needed to read one without a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Understanding {
    /// Domains of the company: nobody there is suppressed because they forwarded a mail.
    pub own_domains: Vec<String>,
    /// Numbers of the company, which its signatures and newsletters print.
    pub own_phones: Vec<String>,
    /// The name under which our own mail server writes `Authentication-Results`.
    pub authserv_id: Option<String>,
    /// The most bytes of a mail that are looked at.
    pub mail_bytes_max: usize,
    /// Words and rules in place of those built in.
    pub lexicon_file: Option<PathBuf>,
}

impl Understanding {
    pub(super) fn take(section: &mut Section<'_>) -> Self {
        Self {
            own_domains: section.or("own_domains", Vec::new(), list(0..=OWN_MAX, text(HOST_BYTES_MAX))),
            own_phones: section.or("own_phones", Vec::new(), list(0..=OWN_MAX, text(64))),
            authserv_id: section.take("authserv_id", text(HOST_BYTES_MAX)),
            mail_bytes_max: section.or("mail_bytes_max", 2 * MIB, whole(64 * KIB..=64 * MIB)),
            lexicon_file: section.take("lexicon_file", file),
        }
    }
}

/// How a connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailboxTls {
    /// TLS from the first byte.
    Implicit,
    /// The connection turns to TLS before the login.
    Starttls,
    /// Not at all: this machine itself.
    Nothing,
}

impl MailboxTls {
    fn port(self) -> u16 {
        match self {
            Self::Implicit => 993,
            Self::Starttls | Self::Nothing => 143,
        }
    }
}

const TLS: [(&str, MailboxTls); 3] =
    [("implicit", MailboxTls::Implicit), ("starttls", MailboxTls::Starttls), ("none", MailboxTls::Nothing)];

impl Mailbox {
    /// `None` only if a mistake is noted.
    pub(super) fn take(section: &mut Section<'_>) -> Option<Self> {
        let tls = section.or("tls", MailboxTls::Implicit, super::values::word(&TLS));
        let host = section.require("host", "host = \"mail.example.kz\"", text(HOST_BYTES_MAX));
        if tls == MailboxTls::Nothing && host.as_deref().is_some_and(|host| !is_this_machine(host)) {
            let problem = "\"none\" is for a server on this machine alone; use \"implicit\" or \"starttls\"";
            section.refuse(&["tls"], "", problem);
        }
        let user = section.require("user", "user = \"info@example.kz\"", text(USER_BYTES_MAX));
        let example = "password_file = \"/etc/suppressd/mailbox.password\"";
        let password = section.require("password_file", example, secret::password_in_file);
        let folders = section.or("folders", inbox_and_junk(), list(1..=FOLDERS_MAX, text(FOLDER_BYTES_MAX)));
        for (index, folder) in folders.iter().enumerate() {
            if folders[..index].iter().any(|other| other.eq_ignore_ascii_case(folder)) {
                section.refuse(&["folders"], &format!("[{index}]"), "is named before; remove it");
            }
        }
        let [move_to, review_to] = ["move_to", "review_to"].map(|key| {
            let to = section.take(key, text(FOLDER_BYTES_MAX));
            if to.as_ref().is_some_and(|to| folders.iter().any(|folder| folder.eq_ignore_ascii_case(to))) {
                section.refuse(&[key], "", "is one of the folders that are read; name another");
            }
            to
        });
        Some(Self {
            port: section.or("port", tls.port(), whole(1..=u16::MAX)),
            tls,
            ca_file: section.take("ca_file", file),
            folders,
            understanding: Understanding::take(section),
            source: section.or("source", "email", name(64, "-_")),
            poll: section.or("poll_s", Duration::from_mins(1), seconds(5..=3600)),
            move_to,
            review_to,
            since: section.take("since", date),
            forged_per_hour_max: section.or("forged_per_hour_max", 50_usize, whole(1..=100_000)),
            host: host?,
            user: user?,
            password: password?,
        })
    }
}

fn inbox_and_junk() -> Vec<String> {
    vec!["INBOX".to_owned(), "Junk".to_owned()]
}

fn date(value: &Value) -> Parsed<Date> {
    let text = text(64)(value)?;
    text.parse().map_err(|_| "must be a day, such as \"2026-11-01\"".into())
}

#[cfg(test)]
mod tests;
