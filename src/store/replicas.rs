//! How many servers must have a write before it counts, and whether they have it.
//!
//! A primary that was cut off goes on as if nothing were: only what half of all servers have beside it, rounded down,
//! is known to every primary that comes after it.

use redis::aio::MultiplexedConnection;
use redis::cmd;

use super::list::{REPLICAS_TIMEOUT, RedisList};
use crate::service::ports::ListFault;

impl RedisList {
    /// How many replicas a write should reach so that no failover can lose it, if `redis.wait_replicas` is less.
    pub async fn replicas_short(&self) -> Result<Option<usize>, ListFault> {
        let connected = self.info("replication", "connected_slaves").await?;
        let replicas: usize = connected.parse().map_err(|_| ListFault::Unreadable("connected_slaves"))?;
        // Half of all servers, the primary among them, rounded down.
        let mut half = usize::midpoint(replicas, 1);
        if let Some(sentinels) = &self.sentinels {
            // One that attached since the connection was made counts from now on.
            sentinels.count(replicas);
            half = sentinels.half();
        }
        Ok((self.wait_replicas() < half).then_some(half))
    }

    /// How many replicas must have a write before it counts. With Sentinels it may grow.
    pub fn wait_replicas(&self) -> usize {
        let half = || self.sentinels.as_ref().map_or(0, |sentinels| sentinels.half());
        self.wait_replicas.unwrap_or_else(half)
    }

    /// Leaves a server that, by the Sentinels' word, is no longer the primary: it may go on for a while without
    /// knowing, and without `redis.wait_replicas` nothing else would tell.
    pub async fn follow_sentinels(&self) {
        let Some(sentinels) = &self.sentinels else { return };
        let Ok(primary) = sentinels.primary().await else { return };
        if self.barriers.leads_elsewhere(&primary).await {
            tracing::warn!("the Sentinels name another primary");
            self.barriers.refresh().await;
        }
    }

    /// Waits until enough replicas have what this connection has written.
    pub(super) async fn replicas(&self, connection: &mut MultiplexedConnection) -> Result<(), ListFault> {
        let want = self.wait_replicas();
        if want == 0 {
            return Ok(());
        }
        let millis = u64::try_from(REPLICAS_TIMEOUT.as_millis()).expect("a second is few milliseconds");
        let have = cmd("WAIT").arg(want).arg(millis).query_async(connection).await;
        let have: usize = self.barriers.checked(have).await?;
        // WAIT answers a count even when its time is up.
        if have < want {
            if self.sentinels.is_some() {
                // It may have lost them to another primary.
                self.barriers.refresh().await;
            }
            return Err(ListFault::Replicas { have, want });
        }
        Ok(())
    }
}
