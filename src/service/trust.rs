//! Whether the list that Redis shows may be believed: the fence, as a state machine without I/O.
//!
//! A worker that meets an identity (process, replication history, list) that it has not proven waits for one
//! barrier on it that succeeded, *then* appends a fence to the ledger, and believes the identity from the
//! barrier on that returns this fence for it. The fence came the whole way, ledger → apply → Redis, so
//! everything that was ever acknowledged before is in.

use crate::domain::record::Nonce;
use crate::fail_points::{FailPoint, armed};
use crate::service::ports::Identity;

/// What a worker knows of the identity it last met.
#[derive(Debug, Default)]
pub struct Trust {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    /// Nothing is known.
    #[default]
    Unknown,
    /// A barrier on this identity succeeded, and a fence is due.
    Met(Identity),
    /// The fence is in the ledger (or may be), and has not come back.
    Fenced(Identity, Nonce),
    /// The fence came back.
    Proven(Identity),
}

/// What to do after a barrier that succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Believe this reading and those that follow on the same identity.
    Trusted,
    /// Append a fence, then call [`Trust::fenced`].
    AppendFence,
    /// Wait: the fence is on its way.
    Wait,
}

impl Trust {
    /// Takes a barrier that succeeded: its identity, and the fence of this worker that it found.
    pub fn observe(&mut self, identity: &Identity, fence: Option<Nonce>) -> Verdict {
        if armed(FailPoint::NoFence) {
            return Verdict::Trusted;
        }
        match &self.state {
            State::Proven(proven) if proven == identity => Verdict::Trusted,
            State::Fenced(met, nonce) if met == identity || armed(FailPoint::AnyFence) => {
                if fence == Some(*nonce) {
                    self.state = State::Proven(identity.clone());
                    Verdict::Trusted
                } else {
                    Verdict::Wait
                }
            }
            _ => {
                self.state = State::Met(identity.clone());
                Verdict::AppendFence
            }
        }
    }

    /// The fence was appended, after [`Verdict::AppendFence`].
    pub fn fenced(&mut self, nonce: Nonce) {
        if let State::Met(identity) = std::mem::take(&mut self.state) {
            self.state = State::Fenced(identity, nonce);
        }
    }

    /// The fence is lost, or took too long: another is due.
    pub fn fence_again(&mut self) {
        if let State::Fenced(identity, _) = std::mem::take(&mut self.state) {
            self.state = State::Met(identity);
        }
    }

    /// There is no list: whatever comes next is another one.
    pub fn forget(&mut self) {
        self.state = State::Unknown;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::ListId;

    fn identity(run: &str, list: u8) -> Identity {
        Identity { run_id: run.into(), replid: "r".into(), list: ListId([list; 16]) }
    }

    const FENCE: Nonce = Nonce([1; 16]);
    const OLD: Nonce = Nonce([9; 16]);

    #[test]
    fn an_identity_is_believed_once_its_own_fence_came_back() {
        let mut trust = Trust::default();
        let (a, b) = (identity("a", 1), identity("b", 1));
        assert_eq!(trust.observe(&a, Some(FENCE)), Verdict::AppendFence, "an older fence proves nothing");
        trust.fenced(FENCE);
        assert_eq!(trust.observe(&a, None), Verdict::Wait);
        assert_eq!(trust.observe(&a, Some(OLD)), Verdict::Wait);
        assert_eq!(trust.observe(&a, Some(FENCE)), Verdict::Trusted);
        assert_eq!(trust.observe(&a, None), Verdict::Trusted, "proven stays proven");
        assert_eq!(trust.observe(&b, Some(FENCE)), Verdict::AppendFence, "restarted");
        trust.fenced(OLD);
        assert_eq!(trust.observe(&identity("b", 2), Some(OLD)), Verdict::AppendFence, "re-created");
        assert_eq!(trust.observe(&a, Some(OLD)), Verdict::AppendFence, "what was proven once is not kept");
    }

    #[test]
    fn a_fence_that_was_appended_before_the_identity_was_met_proves_nothing() {
        let mut trust = Trust::default();
        trust.fenced(FENCE);
        assert_eq!(trust.observe(&identity("a", 1), Some(FENCE)), Verdict::AppendFence);
    }
}
