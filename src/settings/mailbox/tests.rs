//! A mailbox's settings: what is left out, and what is refused.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;
use crate::settings::{Settings, load};

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

/// The shipped settings with these on top; `FILE` stands for a password file of this mode.
fn loaded(mode: u32, text: &str) -> Result<Settings, Vec<String>> {
    let dir = TempDir::new().unwrap();
    let write = |name: &str, text: &str, mode| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let key = write("key", KEY, 0o600);
    let password = write("password", "hunter2\n", mode);
    let own = write("own.toml", &text.replace("FILE", &password), 0o600);
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let files = [config.join("suppressd.toml"), config.join("kazakhstan.toml"), PathBuf::from(own)];
    let variables = [("SUPPRESSD__HASHING__KEY_FILES".to_owned(), key)];
    load(&files, variables.into_iter()).map_err(|mistakes| {
        let printed = mistakes.to_string();
        assert!(!printed.contains("hunter2"), "{printed}");
        let dir = format!("{}/", dir.path().display());
        printed.replace(&dir, "").lines().map(str::to_owned).collect()
    })
}

const LEAST: &str = "[mailbox]\nhost = 'mail.x.kz'\nuser = 'info'\npassword_file = 'FILE'\n";

#[track_caller]
fn refused(text: &str, start: &str) {
    let lines = loaded(0o600, text).unwrap_err();
    assert!(lines.len() == 1 && lines[0].starts_with(&format!("own.toml: {start}")), "{lines:#?}");
}

#[test]
fn without_the_section_there_is_no_mailbox() {
    assert_eq!(loaded(0o600, "").unwrap().mailbox, None);
}

#[test]
fn a_host_a_user_and_a_password_are_enough() {
    let mailbox = loaded(0o640, LEAST).unwrap().mailbox.unwrap();
    assert_eq!((mailbox.port, mailbox.tls), (993, MailboxTls::Implicit));
    assert_eq!(mailbox.folders, ["INBOX", "Junk"]);
    assert_eq!((mailbox.source.as_str(), mailbox.understanding.mail_bytes_max), ("email", 2 << 20));
    assert_eq!((mailbox.poll, mailbox.forged_per_hour_max), (Duration::from_mins(1), 50));
    assert_eq!(mailbox.password.reveal(), "hunter2");
    let starttls = loaded(0o600, &format!("{LEAST}tls = 'starttls'")).unwrap().mailbox.unwrap();
    assert_eq!(starttls.port, 143);
}

#[test]
fn every_mistake_is_reported_and_no_value_repeated() {
    let text = "[mailbox]\ntls = 'hunter2'\nfolders = []\nsince = 'hunter2'\nca_file = '/hunter2'\nport = 0";
    let lines = loaded(0o600, text).unwrap_err();
    for key in ["tls", "folders", "since", "ca_file", "port", "host", "user", "password_file"] {
        assert!(lines.iter().any(|line| line.contains(&format!(" mailbox.{key}: "))), "{key}: {lines:#?}");
    }
    assert_eq!(lines.len(), 8, "{lines:#?}");
}

#[test]
fn a_password_file_that_everybody_may_open_is_refused() {
    let lines = loaded(0o644, LEAST).unwrap_err();
    assert!(lines[0].starts_with("own.toml: mailbox.password_file: every user"), "{lines:#?}");
}

#[test]
fn a_password_goes_in_the_clear_to_this_machine_alone() {
    refused(&format!("{LEAST}tls = 'none'"), "mailbox.tls: \"none\" is for a server on this machine");
    for host in ["localhost", "127.0.0.1", "::1"] {
        let text = format!("{}tls = 'none'", LEAST.replace("mail.x.kz", host));
        assert!(loaded(0o600, &text).is_ok(), "{host}");
    }
}

#[test]
fn a_folder_is_read_once_and_nothing_is_moved_into_it() {
    refused(&format!("{LEAST}folders = ['INBOX', 'Inbox']"), "mailbox.folders[1]: is named before");
    refused(&format!("{LEAST}move_to = 'junk'"), "mailbox.move_to: is one of the folders");
}

#[test]
fn the_source_must_be_there_and_may_say_what_mails_say() {
    refused(&format!("{LEAST}source = 'letters'"), "mailbox.source: is not configured");
    refused(
        &format!("{LEAST}[sources.email]\nmay = ['opt_out', 'hold', 'complaint']"),
        "sources.email.may: the mailbox's mails become bounce events",
    );
    refused(
        &format!("{LEAST}[sources.email]\nusers = ['mail']"),
        "sources.email.users: the mailbox's mails are published by the user of amqp.url",
    );
    assert!(loaded(0o600, &format!("{LEAST}[sources.email]\nusers = ['mail', 'guest']")).is_ok());
}
