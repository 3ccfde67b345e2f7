//! The names of all AMQP objects under one prefix, and nothing else.

use crate::service::ports::Input;

/// The objects of one installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Exchange and queue of campaign jobs.
    pub jobs: String,
    /// Exchange of filtered jobs.
    pub filtered: String,
    /// Exchange and queue of events in.
    pub opt_outs: String,
    /// Exchange of receipts, reports, recalls and alarms.
    pub events: String,
    /// The stream.
    pub ledger: String,
    /// Queue of jobs whose output nobody is bound to yet.
    pub waiting: String,
    /// Exchange and queue of what could not be processed.
    pub dead: String,
    /// How the private queues of commands that wait for an answer begin.
    pub replies: String,
}

impl Names {
    /// The longest prefix: names are AMQP short strings (a private queue's is 41 bytes longer), and dead-letter
    /// headers repeat them.
    pub const PREFIX_BYTES_MAX: usize = 200;

    /// The names under a prefix: 1 to 200 bytes, not one that RabbitMQ keeps for itself.
    pub fn new(prefix: &str) -> Option<Self> {
        let usable = !prefix.is_empty()
            && prefix.len() <= Self::PREFIX_BYTES_MAX
            && !prefix.starts_with("amq.")
            && prefix.bytes().all(|byte| byte.is_ascii_graphic());
        let name = |object: &str| format!("{prefix}.{object}");
        usable.then(|| Self {
            jobs: name("jobs"),
            filtered: name("filtered"),
            opt_outs: name("opt-outs"),
            events: name("events"),
            ledger: name("ledger"),
            waiting: name("waiting"),
            dead: name("dead"),
            replies: name("replies"),
        })
    }

    /// The queue of an input.
    pub fn queue(&self, input: Input) -> &str {
        match input {
            Input::Jobs => &self.jobs,
            Input::OptOuts => &self.opt_outs,
        }
    }

    /// The lane that a message leaves on: bodies of jobs go on one, whatever is short and urgent on the other.
    pub(super) fn lane(&self, exchange: &str, routing_key: &str) -> Input {
        let large = [&self.filtered, &self.dead, &self.jobs].into_iter().any(|name| name == exchange)
            || (exchange.is_empty() && routing_key == self.waiting);
        if large { Input::Jobs } else { Input::OptOuts }
    }

    /// Whether a message to this exchange must come back if nobody is bound for it. What we tell whoever listens
    /// need not: RabbitMQ drops and confirms it.
    pub(super) fn must_be_routed(&self, exchange: &str) -> bool {
        exchange != self.events
    }

    /// Whether only the absence of one of our own queues explains that a message came back from here, and whoever
    /// published it declares the queue again. Not so the ledger: an event in a new one would stand where the genesis
    /// belongs. Who reads it declares it, once its loss is seen and nothing more is appended.
    pub(super) fn must_have_a_queue(&self, exchange: &str, routing_key: &str) -> bool {
        exchange == self.dead || (exchange.is_empty() && routing_key == self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_is_named_under_the_prefix() {
        let names = Names::new("suppressd").unwrap();
        assert_eq!(names.opt_outs, "suppressd.opt-outs");
        assert_eq!(names.queue(Input::Jobs), "suppressd.jobs");
    }

    #[test]
    fn what_may_be_large_leaves_on_the_lane_of_jobs() {
        let names = Names::new("s").unwrap();
        for (exchange, key, lane) in [
            ("s.filtered", "sms.KZ-79", Input::Jobs),
            ("s.dead", "any", Input::Jobs),
            ("", "s.waiting", Input::Jobs),
            ("", "s.ledger", Input::OptOuts),
            ("", "somebody.elses", Input::OptOuts),
            ("s.events", "receipt.x", Input::OptOuts),
            ("s.opt-outs", "call_center", Input::OptOuts),
        ] {
            assert_eq!(names.lane(exchange, key), lane, "{exchange} {key}");
        }
    }

    #[test]
    fn a_prefix_that_cannot_name_anything_is_refused() {
        for prefix in ["", "amq.x", "two words", "наш", &"p".repeat(201)] {
            assert!(Names::new(prefix).is_none(), "{prefix}");
        }
        assert!(Names::new(&"p".repeat(200)).is_some());
    }

    #[test]
    fn a_message_that_came_back_from_our_own_queue_means_that_it_is_to_be_declared_again() {
        let names = Names::new("s").unwrap();
        for (exchange, key, gone) in [
            ("", "s.waiting", true),
            ("", "s.ledger", false),
            ("s.dead", "any", true),
            ("", "somebody.elses", false),
            ("s.filtered", "s.waiting", false),
            ("s.events", "receipt.x", false),
        ] {
            assert_eq!(names.must_have_a_queue(exchange, key), gone, "{exchange} {key}");
        }
    }
}
