//! What went wrong, in our own words: the vendor's errors and the server's answers may quote a mail.

use std::io::ErrorKind;
use std::time::Duration;

use async_imap::error::Error;
use tokio::time::timeout;

use crate::service::ports::{MailFault, MailFaultKind};

/// Waits for an answer, but not for ever.
pub(super) async fn in_time<T>(
    doing: &'static str,
    patience: Duration,
    work: impl Future<Output = Result<T, MailFault>>,
) -> Result<T, MailFault> {
    let silent = || {
        let seconds = patience.as_secs();
        MailFault::new(MailFaultKind::Silent, format!("{doing}: the mail server was silent for {seconds} s"))
    };
    timeout(patience, work).await.unwrap_or_else(|_| Err(silent()))
}

/// A fault of the connection.
pub(super) fn of_io(doing: &'static str, error: &std::io::Error) -> MailFault {
    let inner = error.get_ref();
    if let Some(tls) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return MailFault::new(MailFaultKind::Tls, format!("{doing}: TLS with the mail server: {tls}"));
    }
    let kind = error.kind();
    if kind == ErrorKind::FileTooLarge {
        return MailFault::new(
            MailFaultKind::Protocol,
            format!("{doing}: the mail server sends more than it was asked for"),
        );
    }
    if kind == ErrorKind::Other {
        // The parser's complaint, which quotes everything that it did not understand.
        return MailFault::new(
            MailFaultKind::Protocol,
            format!("{doing}: the mail server's answer cannot be understood"),
        );
    }
    MailFault::new(MailFaultKind::Unreachable, format!("{doing}: the mail server: {kind}"))
}

/// The server ended the connection.
pub(super) fn gone(doing: &'static str) -> MailFault {
    MailFault::new(MailFaultKind::Unreachable, format!("{doing}: the mail server ended the connection"))
}

/// The server says no.
pub(super) fn refused(kind: MailFaultKind, what: &'static str) -> MailFault {
    MailFault::new(kind, what)
}

/// A fault of one of the vendor's own commands, of which only those before and at the login are used.
pub(super) fn of_vendor(doing: &'static str, error: &Error) -> MailFault {
    match error {
        Error::Io(error) => of_io(doing, error),
        Error::ConnectionLost => gone(doing),
        Error::No(_) | Error::Bad(_) => {
            MailFault::new(MailFaultKind::Refused, format!("{doing}: the mail server refuses"))
        }
        _ => MailFault::new(
            MailFaultKind::Protocol,
            format!("{doing}: the mail server's answer cannot be understood"),
        ),
    }
}

/// A refused login. Some refusals are the server's own trouble and pass.
pub(super) fn of_login(error: &Error) -> MailFault {
    const PASSING: [&str; 5] = ["UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG", "emporary"];
    match error {
        Error::No(said) if PASSING.iter().any(|code| said.contains(code)) => {
            MailFault::new(MailFaultKind::Refused, "login: the mail server takes no logins at present")
        }
        Error::No(_) | Error::Bad(_) => MailFault::new(
            MailFaultKind::Login,
            "login: the mail server refuses mailbox.user or the password in mailbox.password_file",
        ),
        other => of_vendor("login", other),
    }
}
