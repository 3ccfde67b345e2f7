//! Putting a list that was built aside in the serving one's place, and clearing away what is left over.

use std::sync::LazyLock;

use redis::{Script, cmd};

use super::list::RedisList;
use crate::codec::record::unhex;
use crate::domain::fold::Head;
use crate::domain::record::ListId;
use crate::service::ports::ListFault;

static PROMOTE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/promote.lua")));

/// What came of putting a list in the serving one's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promoted {
    /// It serves; this one served before.
    Done(Option<ListId>),
    /// The serving list is further: apply up to this position and try again.
    Behind(u64),
    /// The list that was built aside is gone: Redis was emptied meanwhile.
    Gone,
}

impl RedisList {
    /// Puts this list, which was built aside under this name, in the serving one's place at once. `given`: the ledger
    /// was given back what the serving list had when it was here; while it still is, it may be further.
    pub async fn promote(&self, list: ListId, given: Option<&Head>) -> Result<Promoted, ListFault> {
        let mut connection = self.work.get().await?;
        let mut script = PROMOTE.prepare_invoke();
        script.key(self.keys.meta()).key(&self.meta).arg(list.to_string());
        if let Some(given) = given {
            script.arg(given.list.to_string()).arg(given.position);
        }
        let result = script.invoke_async(&mut connection).await;
        let (behind, old): (Option<i64>, Option<String>) = self.work.checked(result).await?;
        match behind {
            None => Ok(Promoted::Done(old.as_deref().and_then(unhex).map(ListId))),
            Some(position) => Ok(u64::try_from(position).map_or(Promoted::Gone, Promoted::Behind)),
        }
    }

    /// Unlinks a list that was built aside and shall not serve.
    pub async fn discard(&self, aside: ListId) -> Result<(), ListFault> {
        let mut connection = self.work.get().await?;
        let unlinked = cmd("UNLINK").arg(self.keys.meta_aside(aside)).query_async(&mut connection).await;
        self.work.checked::<u64>(unlinked).await?;
        self.clear(aside).await.map(drop)
    }

    /// Unlinks every key of a list that serves no longer. Answers how many.
    pub async fn clear(&self, list: ListId) -> Result<u64, ListFault> {
        let pattern = format!("{}*", self.keys.list(list).replace('{', "\\{"));
        let mut cursor = 0u64;
        let mut cleared = 0;
        loop {
            let mut connection = self.work.get().await?;
            let mut scan = cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(1000);
            let found = scan.query_async(&mut connection).await;
            let (next, keys): (u64, Vec<Vec<u8>>) = self.work.checked(found).await?;
            if !keys.is_empty() {
                let unlinked = cmd("UNLINK").arg(keys).query_async(&mut connection).await;
                cleared += self.work.checked::<u64>(unlinked).await?;
            }
            cursor = next;
            if cursor == 0 {
                return Ok(cleared);
            }
        }
    }
}
