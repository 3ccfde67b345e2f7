//! One open folder.

use std::time::Duration;

use async_imap::imap_proto::{
    AttributeValue, MailboxDatum, MailboxListData, NameAttribute, Response, ResponseCode,
};
use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::fmt::strtime;

use super::connect::Logged;
use super::fault::refused;
use super::names::{encoded, quoted};
use super::session::{Done, Talk, Why};
use crate::service::ports::{Folder, FolderAbout, Mail, MailFault, MailFaultKind, Mark};

/// On what need not be read again.
const DONE: &str = "$SuppressdDone";

/// On what a person must read, with [`FLAGGED`], which every mail program shows.
const REVIEW: &str = "$SuppressdReview";
const FLAGGED: &str = "\\Flagged";

/// The folder that servers may call otherwise, and say so (RFC 6154).
const JUNK: &str = "Junk";

/// UIDs searched at once, at first. A stretch without any is passed over in ever longer steps.
const WINDOW: u32 = 20_000;

/// A folder on its own connection.
pub(super) struct ImapFolder {
    talk: Talk,
    about: FolderAbout,
    /// Whether mails may be flagged.
    flags: bool,
    /// The UID that the next mail gets, as of the opening.
    uid_next: u32,
    since: Option<Date>,
}

/// What a server says of a folder when it is opened.
#[derive(Default)]
struct Selected {
    uid_validity: u32,
    uid_next: u32,
    permanent: Vec<String>,
}

impl ImapFolder {
    /// `None`: there is no such folder.
    pub(super) async fn open(
        logged: Logged,
        name: &str,
        since: Option<Date>,
    ) -> Result<Option<Self>, MailFault> {
        let mut talk = Talk::new(logged).await?;
        let Some(server_name) = find(&mut talk, name).await? else { return Ok(None) };
        let mut selected = Selected::default();
        let line = format!("SELECT {}", quoted(&server_name));
        let done = talk.command("SELECT", &line, &mut |said| selected.note(said)).await?;
        if done != Done::Ok || selected.uid_validity == 0 {
            return Err(refused(MailFaultKind::Refused, "SELECT: the mail server does not open a folder"));
        }
        let may = |flag: &str| selected.permanent.iter().any(|other| other.eq_ignore_ascii_case(flag));
        let about = FolderAbout {
            uid_validity: selected.uid_validity,
            keeps_marks: may("\\*") || (may(DONE) && may(REVIEW)),
            moves: talk.moves,
        };
        let flags = may(FLAGGED);
        Ok(Some(Self { talk, about, flags, uid_next: selected.uid_next, since }))
    }

    /// What a search asks for.
    fn criteria(&self, uids: &str) -> String {
        let unmarked = if self.about.keeps_marks { format!(" UNKEYWORD {DONE}") } else { String::new() };
        let since = self.since.map(|day| format!(" SINCE {}", day.strftime("%-d-%b-%Y")));
        format!("UID SEARCH UID {uids}{unmarked}{}", since.unwrap_or_default())
    }

    async fn search(&mut self, uids: &str) -> Result<Vec<u32>, MailFault> {
        let mut found = Vec::new();
        let line = self.criteria(uids);
        let mut each = |said: &Response<'_>| {
            if let Response::MailboxData(MailboxDatum::Search(uids)) = said {
                found.extend_from_slice(uids);
            }
        };
        match self.talk.command("SEARCH", &line, &mut each).await? {
            Done::Ok => Ok(found),
            _ => Err(refused(MailFaultKind::Refused, "SEARCH: the mail server refuses it")),
        }
    }

    /// The marks that the server keeps, of those wanted.
    fn kept(&self, mark: Mark) -> Vec<&'static str> {
        let keywords = self.about.keeps_marks;
        let wanted = [
            (mark.done && keywords, DONE),
            (mark.person && keywords, REVIEW),
            (mark.person && self.flags, FLAGGED),
        ];
        wanted.into_iter().filter_map(|(wanted, flag)| wanted.then_some(flag)).collect()
    }
}

/// The server's name for a folder.
async fn find(talk: &mut Talk, name: &str) -> Result<Option<String>, MailFault> {
    let wanted = encoded(name);
    let (mut found, mut junk) = (None, None);
    let mut each = |said: &Response<'_>| {
        let Response::MailboxData(MailboxDatum::List(MailboxListData { name_attributes, name, .. })) = said
        else {
            return;
        };
        if name_attributes.contains(&NameAttribute::NoSelect) {
            return;
        }
        let inbox = name.eq_ignore_ascii_case("INBOX") && wanted.eq_ignore_ascii_case("INBOX");
        if *name == wanted || inbox {
            found = Some(name.to_string());
        }
        if name_attributes.contains(&NameAttribute::Junk) {
            junk = Some(name.to_string());
        }
    };
    if talk.command("LIST", "LIST \"\" \"*\"", &mut each).await? != Done::Ok {
        return Err(refused(MailFaultKind::Refused, "LIST: the mail server does not tell its folders"));
    }
    Ok(found.or(junk.filter(|_| name.eq_ignore_ascii_case(JUNK))))
}

impl Selected {
    fn note(&mut self, said: &Response<'_>) {
        let Response::Data { outcome, .. } = said else { return };
        match &outcome.code {
            Some(ResponseCode::UidValidity(validity)) => self.uid_validity = *validity,
            Some(ResponseCode::UidNext(next)) => self.uid_next = *next,
            Some(ResponseCode::PermanentFlags(flags)) => {
                self.permanent = flags.iter().map(ToString::to_string).collect();
            }
            _ => {}
        }
    }
}

#[async_trait]
impl Folder for ImapFolder {
    fn about(&self) -> FolderAbout {
        self.about
    }

    async fn unhandled(&mut self, from: u32) -> Result<Vec<u32>, MailFault> {
        self.talk.news = false;
        let (mut begin, mut width) = (from, WINDOW);
        loop {
            let end = begin.saturating_add(width);
            // What comes after the opening has a UID from there on. `*` is the last mail, even below `begin`.
            let last = end >= self.uid_next;
            let uids = if last { format!("{begin}:*") } else { format!("{begin}:{end}") };
            let mut found = self.search(&uids).await?;
            found.retain(|uid| *uid >= begin);
            if !found.is_empty() || last {
                found.sort_unstable();
                found.dedup();
                return Ok(found);
            }
            (begin, width) = (end + 1, width.saturating_mul(2));
        }
    }

    async fn fetch(&mut self, uid: u32, bytes_max: usize) -> Result<Option<Mail>, MailFault> {
        let line = format!("UID FETCH {uid} (UID INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.{bytes_max}>)");
        let mut mail: Option<(Option<Timestamp>, u32, Vec<u8>)> = None;
        let mut each = |said: &Response<'_>| {
            if let Response::Fetch(_, values) = said
                && values.iter().any(|value| matches!(value, AttributeValue::Uid(this) if *this == uid))
            {
                mail = fetched(values).or(mail.take());
            }
        };
        if self.talk.fetch(&line, bytes_max, &mut each).await? != Done::Ok {
            return Err(refused(MailFaultKind::Refused, "FETCH: the mail server does not hand out a mail"));
        }
        let Some((arrived, size, bytes)) = mail else { return Ok(None) };
        let undated = "FETCH: the mail server's answer cannot be understood";
        let arrived = arrived.ok_or_else(|| refused(MailFaultKind::Protocol, undated))?;
        // Servers count a mail's size in several ways: only what was cut is not whole.
        let whole = bytes.len() < bytes_max || usize::try_from(size).is_ok_and(|size| size <= bytes.len());
        Ok(Some(Mail { arrived, bytes, whole }))
    }

    async fn mark(&mut self, uid: u32, mark: Mark) -> Result<(), MailFault> {
        let wanted = self.kept(mark);
        if wanted.is_empty() {
            return Ok(());
        }
        let line = format!("UID STORE {uid} +FLAGS ({})", wanted.join(" "));
        let mut kept = true;
        let mut each = |said: &Response<'_>| {
            if let Response::Fetch(_, values) = said {
                kept &= shows(values, uid, wanted[0]);
            }
        };
        match self.talk.command("STORE", &line, &mut each).await? {
            Done::Ok if kept => Ok(()),
            Done::Ok => Err(refused(MailFaultKind::Mark, "the mail server forgets marks at once")),
            Done::No(Why::Full) => {
                Err(refused(MailFaultKind::Mark, "mails cannot be marked: no room is left"))
            }
            Done::No(_) | Done::Bad => {
                Err(refused(MailFaultKind::Mark, "mails cannot be marked: the mail server refuses"))
            }
        }
    }

    async fn move_to(&mut self, uid: u32, folder: &str) -> Result<(), MailFault> {
        let line = format!("UID MOVE {uid} {}", quoted(&encoded(folder)));
        let what = match self.talk.command("MOVE", &line, &mut |_| ()).await? {
            Done::Ok => return Ok(()),
            Done::No(Why::Missing) => "mails cannot be moved: there is no such folder",
            Done::No(Why::Full) => "mails cannot be moved: no room is left",
            Done::No(Why::Other) | Done::Bad => "mails cannot be moved: the mail server refuses",
        };
        Err(refused(MailFaultKind::Mark, what))
    }

    async fn news(&mut self, patience: Duration) -> Result<(), MailFault> {
        self.talk.wait(patience).await
    }
}

/// The arrival, size and bytes in an answer to FETCH, if it has the bytes.
fn fetched(values: &[AttributeValue<'_>]) -> Option<(Option<Timestamp>, u32, Vec<u8>)> {
    let (mut arrived, mut size, mut bytes) = (None, 0, None);
    for value in values {
        match value {
            AttributeValue::InternalDate(text) => arrived = internal_date(text),
            AttributeValue::Rfc822Size(whole) => size = *whole,
            AttributeValue::BodySection { section: None, data, .. } => {
                bytes = Some(data.as_deref().unwrap_or_default().to_vec());
            }
            _ => {}
        }
    }
    bytes.map(|bytes| (arrived, size, bytes))
}

/// `" 1-Nov-2026 10:15:00 +0500"`.
fn internal_date(text: &str) -> Option<Timestamp> {
    strtime::parse("%d-%b-%Y %H:%M:%S %z", text.trim()).ok()?.to_timestamp().ok()
}

/// Whether an answer to STORE says nothing against this flag on this mail.
fn shows(values: &[AttributeValue<'_>], uid: u32, flag: &str) -> bool {
    let this = values.iter().any(|value| matches!(value, AttributeValue::Uid(other) if *other == uid));
    let flags = values.iter().find_map(|value| match value {
        AttributeValue::Flags(flags) => Some(flags),
        _ => None,
    });
    !this || flags.is_none_or(|flags| flags.iter().any(|other| other.eq_ignore_ascii_case(flag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrival_is_read_as_servers_write_it() {
        for (text, expected) in [
            (" 1-Nov-2026 10:15:00 +0500", Some("2026-11-01T05:15:00Z")),
            ("22-Nov-2026 23:59:60 +0000", Some("2026-11-22T23:59:59Z")),
            ("22-Nov-2026 00:00:00 -0130", Some("2026-11-22T01:30:00Z")),
            ("22-Nix-2026 00:00:00 +0000", None),
            ("", None),
        ] {
            assert_eq!(internal_date(text), expected.map(|text| text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn an_answer_that_lacks_the_mark_is_noticed_and_one_about_another_mail_is_not() {
        let flags =
            |flags: &[&'static str]| AttributeValue::Flags(flags.iter().map(|f| (*f).into()).collect());
        assert!(shows(&[AttributeValue::Uid(7), flags(&["\\Seen", "$suppressdDone"])], 7, DONE));
        assert!(!shows(&[AttributeValue::Uid(7), flags(&["\\Seen"])], 7, DONE));
        assert!(shows(&[AttributeValue::Uid(8), flags(&[])], 7, DONE) && shows(&[flags(&[])], 7, DONE));
    }
}
