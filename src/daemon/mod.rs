//! The composition root: settings become adapters, adapters become use cases, use cases become tasks.
//!
//! [`Core`] is what every command on the live list needs: sessions with RabbitMQ and Redis, the ledger
//! applied, the mirror followed, the list proven. [`run`] is the worker on top of it.

mod campaign;
mod core;
mod dead;
mod doctor;
mod export;
mod import;
mod init;
mod keys;
mod look_up;
mod mailbox;
mod rebuild;
mod requests;
mod send;
mod traces;
mod watch;
mod who;
mod worker;

pub use self::campaign::{CampaignListing, campaign, campaigns, forget_campaign};
pub use self::core::{Core, amqp_user, check};
pub use self::dead::{Dropped, Shown, drop_dead, list_dead, redrive_dead, show_dead};
pub use self::doctor::{Check, Verdict, doctor, misconfigured};
pub use self::export::{Exported, NotExported, export};
pub use self::import::{ImportFile, Imported, NotImported, REFUSED_TOLD_MAX, import, preview};
pub use self::init::init;
pub use self::keys::{NotRetired, Retired, keys, retire_key};
pub use self::look_up::{Answer, Question, look_up};
pub use self::mailbox::mail_reader;
pub use self::rebuild::{Progress, rebuild};
pub use self::requests::{Listing, requests};
pub use self::send::{Answered, Letter, send};
pub use self::worker::run;

/// Why a command ends without having done its work.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// Somebody must change a setting or a server's set-up: exit code 78.
    #[error("{0}")]
    Configuration(String),
    /// A server cannot be reached: exit code 69.
    #[error("{0}")]
    Unavailable(String),
    /// Something that should not happen: exit code 70.
    #[error("{0}")]
    Internal(String),
}
