//! Messages that may have ended a worker, and how to tell them from their neighbours.
//!
//! A worker that ends gives back everything it held, so all of it looks suspicious. What came back several
//! times is therefore processed alone, and remembered while it is: only a message under which workers ended
//! that had nothing else in hand goes to the dead queue, as `crashed_worker`. A broker or Redis fault, or a
//! killed worker, does not bring a message that far.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use super::ports::{Incoming, Suspects};
use crate::domain::digest::KeyRing;

/// A message that came back this often is processed alone.
pub const SUSPECT_AFTER: u64 = 5;

/// A message under which a worker ended this often, alone, is dead.
pub const ALONE_MAX: u64 = 3;

/// Between tries to reach Redis.
const FAULT_RETRY: Duration = Duration::from_millis(250);

/// Keeps suspects apart. Cheap to clone.
#[derive(Clone)]
pub struct Quarantine {
    suspects: Arc<dyn Suspects>,
    keys: Arc<KeyRing>,
    room: Arc<RwLock<()>>,
}

/// Leave to process a message. Dropped when that part is over in which it could end the worker.
pub enum Leave {
    /// Beside others.
    Beside(#[expect(dead_code, reason = "held, not read")] OwnedRwLockReadGuard<()>),
    /// Alone.
    Alone(#[expect(dead_code, reason = "held, not read")] OwnedRwLockWriteGuard<()>, [u8; 16]),
}

impl Quarantine {
    /// A quarantine that remembers through `suspects`.
    pub fn new(suspects: Arc<dyn Suspects>, keys: Arc<KeyRing>) -> Self {
        Self { suspects, keys, room: Arc::default() }
    }

    /// Waits for leave. `None`: workers ended under this message alone, it must not be processed.
    pub async fn enter(&self, incoming: &Incoming) -> Option<Leave> {
        if incoming.delivery_count < SUSPECT_AFTER {
            return Some(Leave::Beside(Arc::clone(&self.room).read_owned().await));
        }
        self.alone(self.fingerprint(incoming)).await
    }

    async fn alone(&self, fingerprint: [u8; 16]) -> Option<Leave> {
        let alone = Arc::clone(&self.room).write_owned().await;
        loop {
            match self.suspects.begin(fingerprint).await {
                Ok(begun) if begun > ALONE_MAX => return None,
                Ok(_) => return Some(Leave::Alone(alone, fingerprint)),
                Err(fault) => {
                    tracing::warn!(%fault, "a suspicious message waits");
                    tokio::time::sleep(FAULT_RETRY).await;
                }
            }
        }
    }

    /// The worker survived this part.
    pub async fn survived(&self, leave: Leave) {
        if let Leave::Alone(_, fingerprint) = leave {
            self.forget(fingerprint).await;
        }
    }

    /// The message is settled as dead: the next one with the same bytes gets its own chances.
    pub async fn buried(&self, incoming: &Incoming) {
        self.forget(self.fingerprint(incoming)).await;
    }

    async fn forget(&self, fingerprint: [u8; 16]) {
        // Forgotten later, by its age: it only costs a suspect some of its chances.
        if let Err(fault) = self.suspects.survived(fingerprint).await {
            tracing::debug!(%fault, "a suspicion stays for now");
        }
    }

    /// Keyed: a message holds people.
    fn fingerprint(&self, incoming: &Incoming) -> [u8; 16] {
        self.keys.keys()[0].content_hash(&incoming.body)
    }
}
