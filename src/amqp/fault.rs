//! What can go wrong with RabbitMQ, told apart by what somebody must do about it.
//!
//! A broker's own words are repeated only where they speak of our own objects and access. Errors of a
//! publish are reduced to AMQP's code: RabbitMQ quotes property values in them.

use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::{Error, ErrorKind};

use super::endpoint::Endpoint;

/// Why there is no session, or why one ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nobody answers there, or not in time.
    #[error("RabbitMQ cannot be reached at {at}: {why}")]
    Unreachable {
        /// The address, without the password.
        at: String,
        /// What was tried.
        why: String,
    },
    /// The broker knows us not, or does not let us do it.
    #[error("RabbitMQ refuses access at {at}: {why}")]
    Refused {
        /// The address, without the password.
        at: String,
        /// The broker's words.
        why: String,
    },
    /// Objects exist with other arguments than the contract's.
    #[error("RabbitMQ has objects that differ from what suppressd needs: {}", list(.0))]
    Mismatch(Vec<Mismatch>),
    /// A session that was there is not any more.
    #[error("the RabbitMQ session ended: {0}")]
    Lost(String),
    /// A frame could not be read: a property that is not UTF-8, most likely.
    #[error("RabbitMQ sent a message whose properties cannot be read; it will end in the dead queue")]
    Unreadable,
}

/// One object that exists in another form than declared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{object}: {why}")]
pub struct Mismatch {
    /// The object, as `queue suppressd.jobs`.
    pub object: String,
    /// The broker's words, which name the argument.
    pub why: String,
}

fn list(mismatches: &[Mismatch]) -> String {
    mismatches.iter().map(Mismatch::to_string).collect::<Vec<_>>().join("; ")
}

impl Fault {
    /// Whether somebody must change a setting or an object: waiting does not help (exit code 78, not 69).
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Mismatch(_))
    }

    /// A fault while the session was made.
    pub(super) fn at_start(at: &Endpoint, doing: &str, error: &Error) -> Self {
        let advice = at.tls().and_then(|tls| tls.advice(error));
        let at = at.to_string();
        let why = format!("{doing}: {}", advice.unwrap_or_else(|| words(error)));
        match error.kind() {
            ErrorKind::ParsingError(_) => Self::Unreadable,
            _ if refuses(error) => Self::Refused { at, why },
            _ => Self::Unreachable { at, why },
        }
    }

    /// Something that should have been answered by now.
    pub(super) fn too_slow(at: &Endpoint, doing: &str, seconds: u64) -> Self {
        Self::Unreachable { at: at.to_string(), why: format!("{doing}: no answer within {seconds} s") }
    }

    /// A fault of a session that was there.
    pub(super) fn ended(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::ParsingError(_) => Self::Unreadable,
            _ => Self::Lost(words(error)),
        }
    }
}

/// The error in words: the broker's own if it has any. Not for publishes, where it quotes properties.
pub(super) fn words(error: &Error) -> String {
    match error.kind() {
        ErrorKind::ProtocolError(refusal) => refusal.get_message().to_string(),
        _ => error.to_string(),
    }
}

/// AMQP's code alone, for errors in which RabbitMQ may quote a message's property.
pub(super) fn code(error: &Error) -> String {
    match error.kind() {
        ErrorKind::ProtocolError(refusal) => format!("{}", refusal.kind()),
        _ => error.to_string(),
    }
}

/// Whether the broker knows no such object.
pub(super) fn is_missing(error: &Error) -> bool {
    is_soft(error, &AMQPSoftError::NOTFOUND)
}

/// Whether an object exists in another form.
pub(super) fn is_mismatch(error: &Error) -> bool {
    is_soft(error, &AMQPSoftError::PRECONDITIONFAILED)
}

/// Whether the broker does not let our user do it.
pub(super) fn is_refused(error: &Error) -> bool {
    is_soft(error, &AMQPSoftError::ACCESSREFUSED)
}

/// Whether the broker takes no message of this size.
pub(super) fn is_too_large(error: &Error) -> bool {
    let ErrorKind::ProtocolError(refusal) = error.kind() else { return false };
    is_mismatch(error) && refusal.get_message().as_str().contains("message size")
}

fn refuses(error: &Error) -> bool {
    let ErrorKind::ProtocolError(refusal) = error.kind() else { return false };
    match refusal.kind() {
        AMQPErrorKind::Soft(code) => *code == AMQPSoftError::ACCESSREFUSED,
        AMQPErrorKind::Hard(code) => *code == AMQPHardError::NOTALLOWED,
    }
}

fn is_soft(error: &Error, code: &AMQPSoftError) -> bool {
    let ErrorKind::ProtocolError(refusal) = error.kind() else { return false };
    matches!(refusal.kind(), AMQPErrorKind::Soft(soft) if soft == code)
}

#[cfg(test)]
mod tests {
    use lapin::protocol::AMQPError;

    use super::*;

    fn refusal(kind: impl Into<AMQPErrorKind>, text: &str) -> Error {
        ErrorKind::ProtocolError(AMQPError::new(kind.into(), text.into())).into()
    }

    #[test]
    fn a_refused_access_is_a_matter_of_configuration_and_an_outage_is_not() {
        let at = Endpoint::parse("amqp://u:secret@mq/v").unwrap();
        for (error, configuration) in [
            (refusal(AMQPSoftError::ACCESSREFUSED, "login"), true),
            (refusal(AMQPHardError::NOTALLOWED, "vhost v not found"), true),
            (refusal(AMQPHardError::CONNECTIONFORCED, "shutdown"), false),
            (std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into(), false),
        ] {
            let fault = Fault::at_start(&at, "opening", &error);
            assert_eq!(fault.is_configuration(), configuration, "{fault}");
            assert!(!fault.to_string().contains("secret"));
        }
    }

    #[test]
    fn only_a_refusal_for_its_size_makes_a_message_too_large() {
        let size = "PRECONDITION_FAILED - message size 20 is larger than max size 10";
        assert!(is_too_large(&refusal(AMQPSoftError::PRECONDITIONFAILED, size)));
        assert!(!is_too_large(&refusal(AMQPSoftError::PRECONDITIONFAILED, "invalid expiration")));
        assert!(!is_too_large(&refusal(AMQPSoftError::NOTFOUND, size)));
    }

    #[test]
    fn an_error_of_a_publish_does_not_repeat_the_brokers_words() {
        let error = refusal(AMQPSoftError::PRECONDITIONFAILED, "user_id property set to 'aigerim'");
        assert!(!code(&error).contains("aigerim"), "{}", code(&error));
    }
}
