//! The mailbox: whether it lets us in, and whether its folders are there. No mail is looked at.

use super::check::Check;
use crate::daemon::mailbox::imap;
use crate::service::ports::{MailFault, MailFaultKind, Mailbox as _};
use crate::settings::Mailbox;

const NAME: &str = "mailbox";

/// Opens every folder that is configured.
pub(super) async fn look(mailbox: Option<&Mailbox>) -> Vec<Check> {
    let Some(mailbox) = mailbox else {
        return vec![Check::skipped(NAME, "none is configured", None)];
    };
    let server = match imap(mailbox) {
        Ok(server) => server,
        Err(stop) => return vec![Check::fault(NAME, stop.to_string(), "correct [mailbox]")],
    };
    let mut missing = Vec::new();
    let mut about = None;
    let moved = [&mailbox.move_to, &mailbox.review_to].into_iter().flatten();
    for folder in mailbox.folders.iter().chain(moved) {
        match server.open(folder).await {
            Ok(Some(opened)) => about = about.or(Some(opened.about())),
            Ok(None) => missing.push(folder.as_str()),
            Err(fault) => return vec![unread(&fault)],
        }
    }
    let mut checks = vec![Check::ok(NAME, format!("{} lets us in", mailbox.host))];
    if !missing.is_empty() {
        let found = format!("there is no folder {}", missing.join(", "));
        checks.push(Check::warning("mailbox folders", found, "create it, or correct its name in [mailbox]"));
    }
    if about.is_some_and(|about| !about.keeps_marks) {
        let found =
            "the server keeps no marks: mails are read again after a restart, and known ones passed over";
        checks.push(Check::warning("mailbox marks", found, "let the server keep keywords"));
    }
    checks
}

fn unread(fault: &MailFault) -> Check {
    match fault.kind {
        MailFaultKind::Login | MailFaultKind::Tls => Check::fault(
            NAME,
            fault.to_string(),
            "correct [mailbox]: the login, or whom mailbox.ca_file trusts",
        ),
        _ => Check::unavailable(NAME, fault.to_string(), "mails wait in it; see whether the server runs"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Verdict;
    use super::*;

    #[test]
    fn a_refused_login_is_to_be_mended_and_an_outage_is_not() {
        for (kind, verdict) in [
            (MailFaultKind::Login, Verdict::Fault),
            (MailFaultKind::Tls, Verdict::Fault),
            (MailFaultKind::Unreachable, Verdict::Unavailable),
            (MailFaultKind::Silent, Verdict::Unavailable),
        ] {
            assert_eq!(unread(&MailFault::new(kind, "login: x")).verdict, verdict);
        }
    }

    #[tokio::test]
    async fn a_mailbox_that_is_not_configured_is_none() {
        assert_eq!(look(None).await[0].verdict, Verdict::Skipped);
    }
}
