//! Messages that may have ended a worker, and how to tell them from their neighbours.
//!
//! A worker that ends gives back everything it held, so all of it looks suspicious. What came back several
//! times is therefore processed alone, and remembered while it is: only a message under which workers ended
//! that had nothing else in hand goes to the dead queue, as `crashed_worker`. A broker or Redis fault, or a
//! killed worker, does not bring a message that far.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::RwLock;

use super::cpu;
use super::ports::{Incoming, Suspects};
use crate::codec::fault::Fault;
use crate::domain::digest::KeyRing;
use crate::domain::words::DeadReason;

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

impl Quarantine {
    /// A quarantine that remembers through `suspects`.
    pub fn new(suspects: Arc<dyn Suspects>, keys: Arc<KeyRing>) -> Self {
        Self { suspects, keys, room: Arc::default() }
    }

    /// Does the part of the work in which a message could end the worker. `None`: workers ended under this
    /// message alone, or the work panicked as often; it must not be processed.
    pub async fn run<T>(&self, incoming: &Incoming, mut work: impl FnMut() -> T) -> Option<T> {
        // How large a packed body is, nobody knows yet.
        let packed = incoming.properties.content_encoding.is_some();
        let bytes = if packed { usize::MAX } else { incoming.body.len() };
        if incoming.delivery_count < SUSPECT_AFTER {
            let _beside = self.room.read().await;
            if let Some(done) = unharmed(bytes, &mut work) {
                return Some(done);
            }
        }
        let fingerprint = self.fingerprint(incoming);
        let _alone = self.room.write().await;
        loop {
            match self.suspects.begin(fingerprint).await {
                Ok(begun) if begun > ALONE_MAX => return None,
                Ok(_) => {
                    if let Some(done) = unharmed(bytes, &mut work) {
                        self.forget(fingerprint).await;
                        return Some(done);
                    }
                }
                Err(fault) => {
                    tracing::warn!(%fault, "a suspicious message waits");
                    tokio::time::sleep(FAULT_RETRY).await;
                }
            }
        }
    }

    /// The message is in the dead queue: the next one with the same bytes gets its own chances.
    pub async fn buried(&self, incoming: &Incoming) {
        self.forget(self.fingerprint(incoming)).await;
    }

    async fn forget(&self, fingerprint: [u8; 16]) {
        // Else forgotten later, by its age: it only costs a suspect some of its chances.
        if let Err(fault) = self.suspects.survived(fingerprint).await {
            tracing::debug!(%fault, "a suspicion stays for now");
        }
    }

    /// Keyed: a message holds people.
    fn fingerprint(&self, incoming: &Incoming) -> [u8; 16] {
        self.keys.keys()[0].content_hash(&incoming.body)
    }
}

/// For the dead letter.
pub(super) fn crashed_worker() -> Fault {
    let rule = format!("workers ended {ALONE_MAX} times while they processed this message and nothing else");
    Fault::whole(DeadReason::CrashedWorker, rule)
}

/// Works, unless it panics. The panic hook has told about it.
fn unharmed<T>(bytes: usize, work: &mut impl FnMut() -> T) -> Option<T> {
    cpu::work(bytes, || catch_unwind(AssertUnwindSafe(work)).ok())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;
    use crate::domain::digest::HashKey;
    use crate::service::message::Properties;
    use crate::service::ports::{Acker, Input, ListFault};

    #[derive(Default)]
    struct Remembered(Mutex<HashMap<[u8; 16], u64>>);

    #[async_trait]
    impl Suspects for Remembered {
        async fn begin(&self, fingerprint: [u8; 16]) -> Result<u64, ListFault> {
            let mut begun = self.0.lock().unwrap();
            let begun = begun.entry(fingerprint).or_default();
            *begun += 1;
            Ok(*begun)
        }

        async fn survived(&self, fingerprint: [u8; 16]) -> Result<(), ListFault> {
            self.0.lock().unwrap().remove(&fingerprint);
            Ok(())
        }
    }

    struct Unsettled;

    #[async_trait]
    impl Acker for Unsettled {
        async fn ack(self: Box<Self>) -> bool {
            true
        }
    }

    fn quarantine(remembered: &Arc<Remembered>) -> Quarantine {
        let key = HashKey::from_file_text(&"0123456789abcdef".repeat(4)).unwrap();
        Quarantine::new(remembered.clone(), Arc::new(KeyRing::new(vec![key]).unwrap()))
    }

    fn delivered(times: u64) -> Incoming {
        Incoming {
            input: Input::Jobs,
            exchange: String::new(),
            routing_key: String::new(),
            properties: Properties::default(),
            body: b"body".to_vec(),
            redelivered: times > 0,
            delivery_count: times,
            acker: Box::new(Unsettled),
        }
    }

    #[tokio::test]
    async fn an_ordinary_message_is_not_remembered_and_a_suspect_only_while_it_is_processed() {
        let remembered = Arc::new(Remembered::default());
        let quarantine = quarantine(&remembered);
        for times in [0, 1, SUSPECT_AFTER, 99] {
            assert_eq!(quarantine.run(&delivered(times), || 7).await, Some(7));
            assert!(remembered.0.lock().unwrap().is_empty());
        }
    }

    #[tokio::test]
    async fn a_message_under_which_workers_ended_alone_is_not_processed_again() {
        let remembered = Arc::new(Remembered::default());
        let quarantine = quarantine(&remembered);
        let incoming = delivered(SUSPECT_AFTER);
        for _ in 0..ALONE_MAX {
            remembered.begin(quarantine.fingerprint(&incoming)).await.unwrap();
        }
        assert_eq!(quarantine.run(&incoming, || panic!("it must not be run")).await, None::<()>);
        quarantine.buried(&incoming).await;
        assert_eq!(quarantine.run(&incoming, || 7).await, Some(7), "its twin has its own chances");
    }

    #[tokio::test]
    async fn a_panic_counts_as_a_worker_that_ended() {
        let quarantine = quarantine(&Arc::default());
        let incoming = delivered(0);
        let mut runs = 0;
        let run = quarantine.run(&incoming, || {
            runs += 1;
            assert!(runs > 2, "panics twice");
            runs
        });
        assert_eq!(run.await, Some(3), "it survived the third time");
        let mut runs = 0;
        let run = quarantine.run(&incoming, || -> () {
            runs += 1;
            panic!("always");
        });
        assert_eq!(run.await, None);
        assert_eq!(runs, 1 + ALONE_MAX, "once beside others, then alone");
    }
}
