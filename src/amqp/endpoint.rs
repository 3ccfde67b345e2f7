//! Where RabbitMQ is: an AMQP URI read once, whose password is never printed.
//!
//! Three parameters are ours to set, whatever the URI says. `frame_max`, because lapin allocates 64
//! frames a connection and a broker may offer frames of 4 GiB; `heartbeat`, because a dead peer is
//! noticed after two of them; `channel_max`, because the publisher holds a channel for each message.

use std::time::Duration;

use lapin::uri::{AMQPScheme, AMQPUri};

use crate::tls::{Named, Tls, TlsFiles, TlsRefused};

/// How settings call what a certificate is checked against.
const NAMED: Named = Named { section: "amqp", host: "amqp.url" };

const FRAME_BYTES_MAX: u32 = 131_072;
/// RabbitMQ takes up to three of them to notice that it hears nothing: within the 30 s that recovery may take.
const HEARTBEAT_SECONDS: u16 = 8;
const CHANNELS_MAX: u16 = 2_047;
const SHORT_STRING_BYTES_MAX: usize = 255;

/// A broker's address with the credentials for it.
#[derive(Clone)]
pub struct Endpoint {
    uri: AMQPUri,
    tls: Option<Tls>,
}

/// Why a text is not an address of a broker. Never holds a part of the text: it may be the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointFault {
    /// Not a URI of the form that RabbitMQ's clients share.
    #[error("not an AMQP URI: write amqp://user:password@host:5672/vhost, special characters as %xx")]
    Form,
    /// User or vhost is beyond AMQP's bound.
    #[error("the user or the vhost of the AMQP URI is longer than 255 bytes")]
    TooLong,
}

impl Endpoint {
    /// Reads `amqp://` or `amqps://`. A vhost left out or empty is `/`.
    pub fn parse(text: &str) -> Result<Self, EndpointFault> {
        let mut uri: AMQPUri = text.trim().parse().map_err(|_| EndpointFault::Form)?;
        if let Some(address) = bracketed(text) {
            address.clone_into(&mut uri.authority.host);
        }
        if uri.vhost.is_empty() {
            uri.vhost = "/".into();
        }
        if uri.authority.host.is_empty() {
            return Err(EndpointFault::Form);
        }
        if uri.vhost.len().max(uri.authority.userinfo.username.len()) > SHORT_STRING_BYTES_MAX {
            return Err(EndpointFault::TooLong);
        }
        uri.query.frame_max = Some(FRAME_BYTES_MAX);
        uri.query.heartbeat = Some(HEARTBEAT_SECONDS);
        uri.query.channel_max = Some(CHANNELS_MAX);
        Ok(Self { uri, tls: None })
    }

    /// Replaces the password of the URI.
    pub fn set_password(&mut self, password: &str) {
        password.clone_into(&mut self.uri.authority.userinfo.password);
    }

    /// By what an `amqps://` server is known, and we are known to it. Without it no such server is talked to; for
    /// `amqp://` it means nothing.
    pub fn set_tls(&mut self, files: &TlsFiles) -> Result<(), TlsRefused> {
        self.tls = match self.uri.scheme {
            AMQPScheme::AMQP => None,
            AMQPScheme::AMQPS => Some(Tls::new(NAMED, &self.uri.authority.host, files)?),
        };
        Ok(())
    }

    /// A peer that is silent for twice this long is taken for dead. Whole seconds, at least one.
    pub fn set_heartbeat(&mut self, heartbeat: Duration) {
        self.uri.query.heartbeat = Some(u16::try_from(heartbeat.as_secs()).unwrap_or(u16::MAX).max(1));
    }

    /// Who logs in.
    pub fn user(&self) -> &str {
        &self.uri.authority.userinfo.username
    }

    pub(super) fn uri(&self) -> &AMQPUri {
        &self.uri
    }

    pub(super) fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }
}

/// lapin's parser takes an IPv6 address for no host at all, and no host for `localhost`.
fn bracketed(text: &str) -> Option<&str> {
    let authority = text.split_once("://")?.1;
    let authority = authority.split(['/', '?']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    host.strip_prefix('[')?.split_once(']').map(|(address, _)| address)
}

impl std::fmt::Display for Endpoint {
    /// Everything but the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = match self.uri.scheme {
            AMQPScheme::AMQP => "amqp",
            AMQPScheme::AMQPS => "amqps",
        };
        let authority = &self.uri.authority;
        let user = &authority.userinfo.username;
        write!(f, "{scheme}://{user}@{}:{} vhost {}", authority.host, authority.port, self.uri.vhost)
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        let endpoint = Endpoint::parse("amqps://worker:hunter2@mq.example:5671/prod").unwrap();
        assert_eq!(endpoint.to_string(), "amqps://worker@mq.example:5671 vhost prod");
        assert!(!format!("{endpoint:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_left_out_is_what_rabbitmq_means_by_it() {
        for text in ["amqp://localhost", "amqp://localhost/", "amqp://localhost:5672/%2f"] {
            assert_eq!(
                Endpoint::parse(text).unwrap().to_string(),
                "amqp://guest@localhost:5672 vhost /",
                "{text}"
            );
        }
    }

    #[test]
    fn an_ipv6_address_stays_one() {
        let endpoint = Endpoint::parse("amqp://u:p@[::1]:5673/v").unwrap();
        assert_eq!(endpoint.to_string(), "amqp://u@::1:5673 vhost v");
    }

    #[test]
    fn frames_and_heartbeats_are_ours_to_set() {
        let endpoint = Endpoint::parse("amqp://localhost?frame_max=0&heartbeat=0").unwrap();
        assert_eq!(endpoint.uri().query.frame_max, Some(131_072));
        assert_eq!(endpoint.uri().query.heartbeat, Some(8));
    }

    #[test]
    fn a_text_that_is_no_address_is_refused_without_being_repeated() {
        let long = format!("amqp://localhost/{}", "v".repeat(256));
        for (text, fault) in [
            ("", EndpointFault::Form),
            ("hunter2", EndpointFault::Form),
            ("http://localhost", EndpointFault::Form),
            ("amqp:hunter2", EndpointFault::Form),
            ("amqp://localhost?heartbeat=hunter2", EndpointFault::Form),
            (&long, EndpointFault::TooLong),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap_err(), fault, "{text}");
        }
    }
}
