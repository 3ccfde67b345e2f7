//! The mailbox over IMAP: the only place that names `async-imap`.
//!
//! Of the vendor only what frames commands and parses answers is used; which answer belongs to what, and how long
//! it may take, is decided here. Its own commands wait for ever, take a `NO` to `FETCH` or `STORE` for success,
//! and lose the news of mail that comes between a search and `IDLE`. Its errors quote what the server sent, so
//! none is ever printed. Nothing here deletes a mail or retries a command.

mod connect;
mod fault;
mod folder;
mod metered;
mod names;
mod session;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use async_trait::async_trait;
use jiff::civil::Date;
use zeroize::Zeroizing;

use self::folder::ImapFolder;
use crate::service::ports::{Folder, MailFault, Mailbox};
use crate::tls::{Named, Tls, TlsFiles, TlsRefused};

/// How settings call what a certificate is checked against.
const NAMED: Named = Named { section: "mailbox", host: "mailbox.host" };

/// How to reach the mailbox. Not `Debug`: it holds a password.
pub struct ImapSettings {
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub protection: Protection,
    /// Who may have signed the server's certificate, as PEM; `None`: whom this machine trusts.
    pub ca_file: Option<PathBuf>,
    /// The login.
    pub user: String,
    /// Its password.
    pub password: Zeroizing<String>,
    /// What came before that day does not exist.
    pub since: Option<Date>,
}

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// TLS from the first byte.
    Implicit,
    /// TLS before the login.
    Starttls,
    /// None.
    Nothing,
}

/// A mailbox on an IMAP server.
pub struct ImapMailbox {
    settings: ImapSettings,
    tls: Tls,
}

impl ImapMailbox {
    /// Connects to nothing yet.
    pub fn new(settings: ImapSettings) -> Result<Self, TlsRefused> {
        let files = TlsFiles { ca_file: settings.ca_file.clone(), identity: None };
        let tls = Tls::new(NAMED, &settings.host, &files)?;
        Ok(Self { settings, tls })
    }
}

#[async_trait]
impl Mailbox for ImapMailbox {
    async fn open(&self, folder: &str) -> Result<Option<Box<dyn Folder>>, MailFault> {
        let session = connect::connect(&self.settings, &self.tls).await?;
        let opened = ImapFolder::open(session, folder, self.settings.since).await?;
        Ok(opened.map(|folder| Box::new(folder) as Box<dyn Folder>))
    }
}
