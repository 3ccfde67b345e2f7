//! The link that takes a lane's messages: one connection with the consumer of its input; the lane of jobs has the
//! waiting room too, that of events the readers of the ledger. It never publishes, so that RabbitMQ never stops
//! reading its acknowledgements.

use std::sync::Arc;

use lapin::options::BasicQosOptions;
use lapin::{Channel, Consumer};
use tokio::sync::{Mutex, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::connection::{Wire, answered};
use super::endpoint::Endpoint;
use super::fault::Fault;
use super::names::Names;
use super::pace::Pace;
use super::supervisor::Session;
use super::topology;

/// A connection that takes messages.
pub(super) struct Intake {
    wire: Wire,
    names: Arc<Names>,
    /// How much may be taken.
    pub(super) pace: watch::Sender<Pace>,
    /// The channel that waiting jobs are taken on.
    pub(super) waiting: Mutex<Option<Channel>>,
    failed: watch::Sender<Option<Fault>>,
    gone: CancellationToken,
    _gone_on_drop: DropGuard,
}

impl Intake {
    /// Opens the connection and declares all objects.
    pub(super) async fn open(
        endpoint: &Endpoint,
        connection_name: &str,
        names: Arc<Names>,
        pace: Pace,
        legible: bool,
    ) -> Result<Arc<Self>, Fault> {
        let wire = if legible {
            Wire::open_legible(endpoint, connection_name).await?
        } else {
            Wire::open(endpoint, connection_name).await?
        };
        topology::declare(&wire, &names).await?;
        let gone = CancellationToken::new();
        Ok(Arc::new(Self {
            wire,
            names,
            pace: watch::Sender::new(pace),
            waiting: Mutex::default(),
            failed: watch::Sender::new(None),
            _gone_on_drop: gone.clone().drop_guard(),
            gone,
        }))
    }

    pub(super) fn names(&self) -> &Names {
        &self.names
    }

    /// How much of what came in was made legible.
    pub(super) fn made_legible(&self) -> u64 {
        self.wire.made_legible()
    }

    /// Cancelled at the end of the session.
    pub(super) fn gone(&self) -> &CancellationToken {
        &self.gone
    }

    pub(super) async fn channel(&self) -> lapin::Result<Channel> {
        self.wire.channel().await
    }

    /// A channel with a prefetch of its own: it bounds what may be unsettled on it.
    pub(super) async fn bounded_channel(&self, prefetch: u16) -> lapin::Result<Channel> {
        let channel = self.channel().await?;
        answered(channel.basic_qos(prefetch, BasicQosOptions::default())).await?;
        Ok(channel)
    }

    /// Declares all objects again; what is wrong with them beyond that ends the session.
    pub(super) async fn redeclare(&self) {
        if let Err(fault) = topology::declare(&self.wire, &self.names).await {
            self.failed.send_replace(Some(fault));
        }
    }
}

impl Session for Intake {
    async fn ended(&self) -> Fault {
        let mut failed = self.failed.subscribe();
        tokio::select! {
            fault = self.wire.attend(|_| {}) => fault,
            Ok(fault) = failed.wait_for(Option::is_some) => fault
                .clone()
                .unwrap_or_else(|| Fault::Lost("the session was given up".into())),
        }
    }

    async fn close(&self) {
        self.gone.cancel();
        self.wire.close().await;
    }
}

/// A consumer with the channel that it lives on; closing the channel gives back what is unsettled.
pub(super) struct Tap {
    pub(super) channel: Channel,
    pub(super) consumer: Consumer,
}
