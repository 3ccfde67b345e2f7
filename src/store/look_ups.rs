//! The log of look-ups: who asked about whom, and when. It outlives the process that asked.
//!
//! A stream of its own, which no rebuild touches. Whom it was about is a digest: enough to find out later whether
//! somebody looked a known person up, and nothing that tells who the person is.

use jiff::Timestamp;
use redis::cmd;

use super::list::RedisList;
use crate::codec::record::hex;
use crate::domain::digest::Digest;
use crate::domain::words::IdentifierKind;
use crate::service::ports::ListFault;

/// Look-ups kept at least, the newest. Redis drops older ones in blocks of its own.
pub const LOOK_UPS_KEPT: usize = 100_000;

/// One look-up.
#[derive(Debug, Clone)]
pub struct LookUp {
    /// When, by the clock of whoever asks. Redis's own clock is in the entry's name.
    pub at: Timestamp,
    /// The user of the operating system that the program runs as.
    pub os_user: String,
    /// The user who logged in, if the system knows: it stays the same through `sudo`.
    pub login_user: Option<String>,
    /// The machine.
    pub host: String,
    /// As whom the program is known to RabbitMQ.
    pub amqp_user: String,
    /// The identifiers that were asked about, under every key.
    pub about: Vec<(IdentifierKind, Vec<Digest>)>,
    /// The past instant that was asked about.
    pub as_of: Option<Timestamp>,
}

impl LookUp {
    /// What it was about, for the log: `phone:<digest>,<digest> email:<digest>`.
    pub fn about(&self) -> String {
        let one = |(kind, digests): &(IdentifierKind, Vec<Digest>)| {
            let digests: Vec<String> = digests.iter().map(|digest| hex(&digest.0)).collect();
            format!("{kind}:{}", digests.join(","))
        };
        self.about.iter().map(one).collect::<Vec<_>>().join(" ")
    }
}

impl RedisList {
    /// Writes a look-up down, on as many servers as a write must reach. Answers its name.
    pub async fn note(&self, look_up: &LookUp) -> Result<String, ListFault> {
        let mut connection = self.barriers.get().await?;
        let mut add = cmd("XADD");
        add.arg(self.keys.look_ups()).arg("MAXLEN").arg("~").arg(LOOK_UPS_KEPT).arg("*");
        add.arg("at").arg(look_up.at.to_string());
        add.arg("os_user").arg(&look_up.os_user).arg("host").arg(&look_up.host);
        add.arg("amqp_user").arg(&look_up.amqp_user).arg("about").arg(look_up.about());
        if let Some(user) = &look_up.login_user {
            add.arg("login_user").arg(user);
        }
        if let Some(as_of) = look_up.as_of {
            add.arg("as_of").arg(as_of.to_string());
        }
        let added = add.query_async(&mut connection).await;
        let name: String = self.barriers.checked(added).await?;
        self.replicas(&mut connection).await?;
        Ok(name)
    }
}
