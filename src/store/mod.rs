//! The list in Redis: the only place that names the `redis` crate.
//!
//! All keys share one hash tag. `meta` names the serving list; everything else of it lives under its name,
//! so that another list can be built aside and put in its place by one rename:
//!
//! | key | holds |
//! |---|---|
//! | `{suppressd}:meta` | list, position, revision, last record, ledger, fold, keys, counts, reviews, calendars |
//! | `{suppressd}:<list>:s<n>` | what stands, by digest; `n` of [`keys::BUCKETS`] small hashes |
//! | `{suppressd}:<list>:x<n>` | what is superseded, links, and provisional holds |
//! | `{suppressd}:<list>:e<n>` | outcomes, by event |
//! | `{suppressd}:<list>:r<n>` | where it stands, by request; not those that their event's outcome tells of |
//! | `{suppressd}:<list>:review` | all that is known of the requests in review |
//! | `{suppressd}:<list>:due` | the requests in review, by their strict deadline |
//! | `{suppressd}:<list>:fences` | each worker's newest fence |
//! | `{suppressd}:<list>:feed` | the last batches, for mirrors: entry `<to>-0` |
//! | `{suppressd}:barriers`, `:lease` | what barriers write, who applies |
//! | `{suppressd}:mail-turn` | who reads the mailbox |
//! | `{suppressd}:look-ups` | who looked whom up, the newest [`LOOK_UPS_KEPT`] |
//! | `{suppressd}:campaign:<hash>` | a campaign in parts: which are in, and their sums |
//! | `{suppressd}:campaigns`, `…:incomplete` | when each is forgotten, since when each waits for parts |
//! | `{suppressd}:alarmed:<request>:<urgency>` | which alarms of deadlines were raised |
//! | `{suppressd}:suspect:<hash>` | how often a worker ended while it processed this message alone |
//!
//! Nothing is changed but by `scripts/apply.lua`, which compares first.

mod batch;
mod campaigns;
mod connection;
mod inspect;
mod keys;
mod list;
mod look_ups;
mod mail_turn;
mod meta;
mod node;
mod permissions;
mod rebuild;
mod replicas;
mod replies;
mod requests;
mod secured;
mod sentinels;
mod suspects;

pub use campaigns::Listed;
pub use connection::{RedisConfig, RedisRefused};
pub use inspect::{Facts, Inspection, Unseen, digests_a_hash};
pub use list::RedisList;
pub use look_ups::{LOOK_UPS_KEPT, LookUp};
pub use rebuild::Promoted;
pub use sentinels::{Heard, SentinelConfig};
