//! Whose turn it is to read the mailbox. It is no part of the list.

use async_trait::async_trait;

use super::list::RedisList;
use crate::domain::record::WorkerId;
use crate::service::ports::{ListFault, MAIL_TURN, MailTurn};

#[async_trait]
impl MailTurn for RedisList {
    async fn turn(&self, worker: WorkerId) -> Result<bool, ListFault> {
        self.lease_of(self.keys.mail_turn(), worker, MAIL_TURN).await
    }
}
