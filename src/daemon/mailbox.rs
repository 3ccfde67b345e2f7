//! The mailbox, put together: settings become a desk, and the desk runs for as long as the worker takes events.
//!
//! What reads a mail is joined here out of two parts: `codec::mail` says what a mail is, `domain::mail` what it
//! asks for. Should the second fail on a mail, what the first said of its sender is kept.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::sleep;
use zeroize::Zeroizing;

use super::Stop;
use super::core::{Core, configuration, country};
use crate::amqp::Endpoint;
use crate::codec::mail::{self, Limits};
use crate::domain::catalogue::Catalogue;
use crate::domain::identifier::Country;
use crate::domain::mail::letter::{Letter, Unread};
use crate::domain::mail::read::{Own, Reader};
use crate::domain::mail::reading::{Outcome, Reading, Subject};
use crate::mailbox::{ImapMailbox, ImapSettings, Protection};
use crate::metrics::Metrics;
use crate::service::alarms::Alarms;
use crate::service::health::{Dependency, Health, State};
use crate::service::ports::Mail;
use crate::service::post::Post;
use crate::service::read_mailbox::{CRASH_RULE, MailDesk, MailReader, Parts, Plan, Read};
use crate::settings::{
    Mailbox, MailboxTls, Mistakes, Settings, Understanding, load_lexicon, shipped_lexicon,
};

/// After a mistake of ours that ended the desk.
const BREAKDOWN_PAUSE: Duration = Duration::from_mins(1);

/// The parts of a worker that the desk shares.
pub(super) struct Shared<'a> {
    /// Sessions and tasks.
    pub(super) core: &'a Core,
    /// Publishes.
    pub(super) post: &'a Post,
    /// Alarms.
    pub(super) alarms: &'a Alarms,
    /// Shown states.
    pub(super) health: &'a Health,
    /// Counted things.
    pub(super) metrics: &'a Arc<Metrics>,
}

/// The desk of the mailbox, if there is one. Connects to nothing.
pub(super) fn desk(settings: &Settings, shared: &Shared<'_>) -> Result<Option<Arc<MailDesk>>, Stop> {
    let Some(mailbox) = &settings.mailbox else {
        shared.health.set(Dependency::Mailbox, State::Idle("no [mailbox] is configured".into()));
        return Ok(None);
    };
    let key = settings.hashing.key_ring.keys().first().expect("a ring has a key").clone();
    let parts = Parts {
        mailbox: Arc::new(imap(mailbox)?),
        turn: shared.core.list.clone(),
        known: Arc::new(shared.core.gate.clone()),
        reader: reader(settings, mailbox)?,
        post: shared.post.clone(),
        alarms: shared.alarms.clone(),
        clock: shared.core.clock.clone(),
        key,
        worker: shared.core.worker,
        health: shared.health.clone(),
        metrics: shared.metrics.clone(),
    };
    Ok(Some(Arc::new(MailDesk::new(parts, plan(settings, mailbox)?))))
}

/// What the adapter and the reader would refuse, found without connecting to anything.
pub(super) fn check(settings: &Settings) -> Result<(), Stop> {
    if let Some(mailbox) = &settings.mailbox {
        imap(mailbox)?;
        reader(settings, mailbox)?;
    }
    Ok(())
}

/// Reads mail until the core ends. A mistake of ours ends neither the worker nor, for long, the reading.
pub(super) fn start(core: &Core, health: &Health, desk: Arc<MailDesk>) {
    let health = health.clone();
    core.spawn(async move {
        while AssertUnwindSafe(desk.run()).catch_unwind().await.is_err() {
            let why = "reading broke down by a mistake in suppressd; it begins again in a minute";
            tracing::error!("the mailbox: {why}");
            health.set(Dependency::Mailbox, State::NotReady(why.into()));
            sleep(BREAKDOWN_PAUSE).await;
        }
    });
}

/// The mailbox's adapter. Connects to nothing.
pub(super) fn imap(mailbox: &Mailbox) -> Result<ImapMailbox, Stop> {
    let settings = ImapSettings {
        host: mailbox.host.clone(),
        port: mailbox.port,
        protection: match mailbox.tls {
            MailboxTls::Implicit => Protection::Implicit,
            MailboxTls::Starttls => Protection::Starttls,
            MailboxTls::Nothing => Protection::Nothing,
        },
        ca_file: mailbox.ca_file.clone(),
        user: mailbox.user.clone(),
        password: Zeroizing::new(mailbox.password.reveal().to_owned()),
        since: mailbox.since,
    };
    ImapMailbox::new(settings).map_err(configuration)
}

fn plan(settings: &Settings, mailbox: &Mailbox) -> Result<Plan, Stop> {
    let endpoint = Endpoint::parse(settings.amqp.url.reveal()).map_err(configuration)?;
    let insists = settings.sources.get(&mailbox.source).is_some_and(|source| source.users.is_some());
    Ok(Plan {
        folders: mailbox.folders.clone(),
        source: mailbox.source.clone(),
        user: insists.then(|| endpoint.user().to_owned()),
        poll: mailbox.poll,
        mail_bytes_max: mailbox.understanding.mail_bytes_max,
        move_to: mailbox.move_to.clone(),
        review_to: mailbox.review_to.clone(),
        forged_per_hour_max: mailbox.forged_per_hour_max,
    })
}

/// What reads a mail: the limits of the first step, the rules of the second.
pub fn mail_reader(
    understanding: &Understanding,
    own_addresses: Vec<String>,
    catalogue: &Catalogue,
    country: Country,
) -> Result<(Limits, Reader), Mistakes> {
    let lexicon = match &understanding.lexicon_file {
        Some(file) => load_lexicon(file)?,
        None => shipped_lexicon(),
    };
    let own = Own {
        domains: understanding.own_domains.clone(),
        addresses: own_addresses,
        phones: understanding.own_phones.clone(),
    };
    let limits = Limits {
        authserv_id: understanding.authserv_id.clone(),
        mail_bytes_max: understanding.mail_bytes_max,
        ..Limits::default()
    };
    Ok((limits, Reader::new(lexicon, own, catalogue, country)))
}

/// Both steps in one.
fn reader(settings: &Settings, mailbox: &Mailbox) -> Result<MailReader, Stop> {
    // The mailbox's own address, if its login is one.
    let own_addresses = vec![mailbox.user.clone()];
    let (limits, reader) =
        mail_reader(&mailbox.understanding, own_addresses, &settings.catalogue, country(settings)?)
            .map_err(configuration)?;
    Ok(Arc::new(move |mail: &Mail| {
        let mut letter = mail::read(&mail.bytes, &limits);
        if !mail.whole {
            letter.unread = letter.unread.max(Some(Unread::TooLarge));
        }
        let read = catch_unwind(AssertUnwindSafe(|| reader.read(&letter)));
        let reading = read.unwrap_or_else(|_| Reading {
            outcome: Outcome::Unsure { subject: Subject { emails: letter.from.clone(), phones: vec![] } },
            rule: CRASH_RULE,
            for_a_person: true,
        });
        Read { identity: identity(mail, &letter), reading }
    }))
}

/// Programs that give every mail the same Message-ID exist: another sender is another mail.
fn identity(mail: &Mail, letter: &Letter) -> Vec<u8> {
    let mut identity = mail::identity(&mail.bytes).as_bytes().to_vec();
    for from in &letter.from {
        identity.push(0);
        identity.extend_from_slice(from.as_bytes());
    }
    identity
}
