//! Counters of the messages under which workers ended. They are no part of the list.

use async_trait::async_trait;
use redis::pipe;

use super::list::RedisList;
use crate::service::ports::{ListFault, Suspects};

/// A message that was not seen for so long is under no suspicion any more: a week.
const KEPT_S: u64 = 7 * 24 * 3600;

#[async_trait]
impl Suspects for RedisList {
    async fn begin(&self, fingerprint: [u8; 16]) -> Result<u64, ListFault> {
        let key = self.keys.suspect(&fingerprint);
        let mut pipeline = pipe();
        // No transaction: a worker that ends between the two leaves a key that the next one gives its end.
        pipeline.cmd("INCR").arg(&key).cmd("PEXPIRE").arg(&key).arg(KEPT_S * 1000).ignore();
        let (begun,): (u64,) = self.query(&self.work, &pipeline).await?;
        Ok(begun)
    }

    async fn survived(&self, fingerprint: [u8; 16]) -> Result<(), ListFault> {
        let mut pipeline = pipe();
        pipeline.cmd("DEL").arg(self.keys.suspect(&fingerprint)).ignore();
        self.query(&self.work, &pipeline).await
    }
}
