//! The configuration: files, then environment variables, checked as a whole before anything starts.
//!
//! Every key has one home below and is documented in `config/suppressd.toml`. [`load`] reports every
//! mistake at once and connects to nothing; what it returns cannot be wrong in itself. No mistake and no
//! `Debug` output holds a password, a key or a URL.

mod admin;
mod amqp;
mod calendar;
mod hashing;
mod identifiers;
mod lexicon;
mod limits;
mod log;
mod mailbox;
mod mistake;
mod policy;
mod regions;
mod rules;
mod secret;
mod section;
mod sentinels;
mod shutdown;
mod sources;
mod store;
mod tls;
mod tracing;
mod tree;
mod values;
mod variables;

#[cfg(test)]
mod shipped;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::domain::catalogue::Catalogue;

pub use self::admin::Admin;
pub use self::amqp::Amqp;
pub use self::calendar::Deadlines;
pub use self::hashing::Hashing;
pub use self::identifiers::Identifiers;
pub use self::lexicon::{load_lexicon, shipped_lexicon};
pub use self::limits::Limits;
pub use self::log::{Log, LogFormat, LogLevel};
pub use self::mailbox::{Mailbox, MailboxTls, Understanding};
pub use self::mistake::{Mistake, Mistakes};
pub use self::policy::Policy;
pub use self::rules::{MailRules, Rules, load_mail_rules, load_rules};
pub use self::secret::Secret;
pub use self::sentinels::Sentinels;
pub use self::shutdown::Shutdown;
pub use self::sources::{IMPORT, Source, SourceClock};
pub use self::store::Redis;
pub use self::tracing::{Collector, Tracing};
pub use self::variables::of_this_process as environment;

use self::section::{Notes, Section};

/// Everything that is configured.
#[derive(Debug, Clone)]
pub struct Settings {
    /// RabbitMQ.
    pub amqp: Amqp,
    /// Redis.
    pub redis: Redis,
    /// The keys that identifiers are hashed under.
    pub hashing: Hashing,
    /// Metrics and health.
    pub admin: Admin,
    /// How identifiers are read.
    pub identifiers: Identifiers,
    /// The company's rules.
    pub policy: Policy,
    /// Who may say what, by the source's name.
    pub sources: BTreeMap<String, Source>,
    /// Regions and brands.
    pub catalogue: Catalogue,
    /// By when requests are due.
    pub deadlines: Deadlines,
    /// The mailbox, if one is read.
    pub mailbox: Option<Mailbox>,
    /// Bounds.
    pub limits: Limits,
    /// How the process ends.
    pub shutdown: Shutdown,
    /// Logging.
    pub log: Log,
    /// Whether traces are exported.
    pub tracing: Tracing,
    /// What is accepted, but somebody should know or mend.
    pub warnings: Vec<String>,
}

/// Reads the files, later ones over earlier ones, and the environment over all of them.
pub fn load(
    files: &[PathBuf],
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Settings, Mistakes> {
    let mut notes = Notes::default();
    let settings = take_with(files, environment, &mut notes, Settings::take);
    match settings {
        Some(settings) if notes.mistakes.is_empty() => Ok(settings),
        _ => Err(Mistakes(notes.mistakes)),
    }
}

/// Reads the whole tree; what is wrong is in `notes`.
fn take_with<T>(
    files: &[PathBuf],
    environment: impl Iterator<Item = (String, String)>,
    notes: &mut Notes,
    take: impl FnOnce(&mut Section<'_>) -> T,
) -> T {
    let mut values = tree::empty();
    for file in files {
        match tree::read(file) {
            Ok(above) => tree::overlay(&mut values, above),
            Err(mistake) => {
                notes.incomplete = true;
                notes.mistakes.push(mistake);
            }
        }
    }
    variables::apply(&mut values, environment, &mut notes.mistakes);
    section::read(values, notes, take)
}

impl Settings {
    /// `None` only if a mistake is noted.
    fn take(root: &mut Section<'_>) -> Option<Self> {
        let amqp = root.section("amqp", Amqp::take);
        let redis = root.section("redis", Redis::take);
        let hashing = root.section("hashing", Hashing::take);
        let admin = root.section("admin", Admin::take);
        let identifiers = root.section("identifiers", Identifiers::take);
        let (policy, brands) = root.section("policy", Policy::take);
        let sources = sources::take(root);
        let catalogue = Catalogue::new(regions::take(root), brands);
        let deadlines = root.section("calendar", Deadlines::take);
        let mailbox = root.optional("mailbox", Mailbox::take);
        if let Some(Some(mailbox)) = &mailbox {
            sources::refuse_mailbox(root, &sources, mailbox, &amqp);
        }
        let limits = root.section("limits", Limits::take);
        let shutdown = root.section("shutdown", Shutdown::take);
        let log = root.section("log", Log::take);
        let tracing = root.section("tracing", Tracing::take);
        let hashing = hashing?;
        let warnings = [amqp.warning(), redis.warning()].into_iter().flatten().collect();
        Some(Self {
            amqp,
            redis,
            hashing,
            admin,
            identifiers,
            policy,
            sources,
            catalogue,
            deadlines,
            mailbox: mailbox.flatten(),
            limits,
            shutdown,
            log,
            tracing,
            warnings,
        })
    }
}
