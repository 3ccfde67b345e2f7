//! The list of suppressions over Redis.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use redis::{Pipeline, Script, ScriptInvocation, Value, cmd, pipe};

use super::batch::Batch;
use super::connection::{Connection, RedisConfig, RedisRefused};
use super::keys::{BUCKETS, Hash, Keys, REVIEW};
use super::meta;
use super::replies::{parsed, read_barrier, read_bucket, read_feed, read_fence, read_outcome};
use super::sentinels::Sentinels;
use crate::codec::record::hex;
use crate::codec::value;
use crate::domain::digest::Digest;
use crate::domain::fold::{Fences, Head, Missing, Working};
use crate::domain::record::{EventKey, ListId, Person, WorkerId};
use crate::domain::statement::Kept;
use crate::mirror::FeedEntry;
use crate::service::ports::{List, ListFault, Reading, Slice};

/// Ledger records that the feed reaches back: a mirror that is further behind loads again. About 20 MB, if
/// they are events that came one by one.
const FEED_RECORDS_MAX: u64 = 1 << 18;

/// What the feed may take, in bytes, if every entry were as large as the newest: while records of many
/// identifiers are applied, it reaches less far back.
const FEED_BYTES_MAX: usize = 32 << 20;

/// What an entry of the feed takes besides its changes, in bytes.
const FEED_ENTRY_BYTES: usize = 128;

/// Feed entries read at once.
const FEED_READ_MAX: usize = 512;

/// How long a read of the feed waits for the next entry.
const FEED_BLOCK: Duration = Duration::from_secs(1);

/// Small hashes read at once: one slice.
const SLICE_BUCKETS: u32 = 1024;

/// How long the lease to apply lasts without being renewed.
const LEASE: Duration = Duration::from_secs(2);

/// How long a barrier waits for replicas.
pub(super) const REPLICAS_TIMEOUT: Duration = Duration::from_secs(1);

static BARRIER: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/barrier.lua")));
static APPLY: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/apply.lua")));
static READ: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/read.lua")));
static CREATE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/create.lua")));
static LEASED: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/lease.lua")));

/// The list in Redis: the serving one, or one that is built aside.
pub struct RedisList {
    pub(super) keys: Keys,
    /// The key of its head.
    pub(super) meta: String,
    /// As it is set.
    pub(super) wait_replicas: Option<usize>,
    /// Who says where the primary is, if it is not always the same server.
    pub(super) sentinels: Option<Arc<Sentinels>>,
    /// Barriers alone: `WAIT` blocks whoever shares the connection.
    pub(super) barriers: Connection,
    /// The applier's reads and writes, and everything small.
    pub(super) work: Connection,
    /// Blocking reads of the feed.
    feed: Connection,
    /// Whole slices, while a mirror loads.
    bulk: Connection,
}

impl RedisList {
    /// The serving list. Connects to nothing yet.
    pub fn new(config: &RedisConfig) -> Result<Self, RedisRefused> {
        let keys = Keys::new(&config.prefix);
        Self::with_meta(config, keys.meta(), keys)
    }

    /// A list that is built aside, until [`RedisList::promote`] puts it in the serving one's place.
    pub fn aside(config: &RedisConfig, list: ListId) -> Result<Self, RedisRefused> {
        let keys = Keys::new(&config.prefix);
        Self::with_meta(config, keys.meta_aside(list), keys)
    }

    fn with_meta(config: &RedisConfig, meta: String, keys: Keys) -> Result<Self, RedisRefused> {
        let timeout = config.response_timeout;
        let sentinels = config.sentinels()?;
        let connection = |timeout| Connection::new(config, sentinels.as_ref(), timeout);
        Ok(Self {
            keys,
            meta,
            wait_replicas: config.wait_replicas,
            barriers: connection(timeout + REPLICAS_TIMEOUT)?,
            work: connection(timeout)?,
            feed: connection(timeout + FEED_BLOCK)?,
            bulk: connection(timeout * 4)?,
            sentinels,
        })
    }

    /// Refuses a server that may evict keys.
    pub async fn eviction(&self) -> Result<Result<(), RedisRefused>, ListFault> {
        match self.info("memory", "maxmemory_policy").await?.as_str() {
            "noeviction" => Ok(Ok(())),
            policy => Ok(Err(RedisRefused::Evicts { policy: policy.into() })),
        }
    }

    /// One line of what Redis says of itself.
    pub(super) async fn info(&self, section: &str, name: &'static str) -> Result<String, ListFault> {
        let mut connection = self.work.get().await?;
        let info: Result<String, _> = cmd("INFO").arg(section).query_async(&mut connection).await;
        let info = self.work.checked(info).await?;
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map(|value| value.trim().to_owned()).ok_or(ListFault::Unreadable(name))
    }

    async fn read_people(&self, missing: &Missing, working: &mut Working) -> Result<(), ListFault> {
        let head = working.head.clone();
        let digests: Vec<Digest> = missing.people.iter().copied().collect();
        let found = self.values(&head, Hash::Standing, digests.iter().map(|digest| &digest.0)).await?;
        let mut extended = Vec::new();
        for (digest, bytes) in digests.into_iter().zip(found) {
            let (standing, extras) = match bytes {
                None => (vec![], false),
                Some(bytes) => {
                    value::read_standing(&bytes).ok_or(ListFault::Unreadable("an identifier's value"))?
                }
            };
            if extras {
                extended.push((digest, standing));
            } else {
                working.people.insert(digest, Person { kept: Kept::new(standing), ..Person::default() });
            }
        }
        let found = self.values(&head, Hash::Extras, extended.iter().map(|(digest, _)| &digest.0)).await?;
        for ((digest, standing), bytes) in extended.into_iter().zip(found) {
            let person = bytes.and_then(|bytes| value::read_extras(standing, &bytes));
            working.people.insert(digest, person.ok_or(ListFault::Unreadable("an identifier's extras"))?);
        }
        Ok(())
    }

    async fn read_requests(&self, missing: &Missing, working: &mut Working) -> Result<(), ListFault> {
        let head = working.head.clone();
        let found = self.values(&head, Hash::Requests, missing.requests.iter().map(|key| &key.0)).await?;
        let mut known = Vec::new();
        let mut script = READ.prepare_invoke();
        self.at(&mut script, &head);
        for (key, bytes) in missing.requests.iter().zip(found) {
            match bytes {
                None => drop(working.requests.insert(*key, None)),
                Some(bytes) => {
                    script.arg(REVIEW).arg(&key.0);
                    known.push((key, bytes));
                }
            }
        }
        if known.is_empty() {
            return Ok(());
        }
        for ((key, bytes), review) in known.into_iter().zip(self.read_at(&script).await?) {
            let review: Option<Vec<u8>> = parsed(review)?;
            let request = value::read_request(&bytes, review.as_deref());
            working.requests.insert(*key, Some(request.ok_or(ListFault::Unreadable("a request"))?));
        }
        Ok(())
    }

    /// The values of some fields, spread over the small hashes, as they are at this head.
    async fn values<'a>(
        &self,
        head: &Head,
        hash: Hash,
        ids: impl Iterator<Item = &'a [u8; 16]>,
    ) -> Result<Vec<Option<Vec<u8>>>, ListFault> {
        let mut script = READ.prepare_invoke();
        let mut any = false;
        self.at(&mut script, head);
        for id in ids {
            let (name, field) = hash.place(id);
            script.arg(name).arg(&field);
            any = true;
        }
        if any { self.read_at(&script).await?.into_iter().map(parsed).collect() } else { Ok(vec![]) }
    }

    /// Reads are good only while the list stands at this head. A position alone would not do: a list that fell
    /// back meanwhile may show what a later one had.
    fn at(&self, script: &mut ScriptInvocation<'_>, head: &Head) {
        script.key(&self.meta).arg(head.list.to_string()).arg(head.position).arg(meta::last(head));
        script.arg(self.keys.list(head.list));
    }

    async fn read_at(&self, script: &ScriptInvocation<'_>) -> Result<Vec<Value>, ListFault> {
        let mut connection = self.work.get().await?;
        let result = script.invoke_async(&mut connection).await;
        match self.work.checked(result).await? {
            Value::Array(replies) => Ok(replies),
            _ => Err(ListFault::Moved),
        }
    }

    /// Takes or renews a lease.
    pub(super) async fn lease_of(
        &self,
        key: String,
        worker: WorkerId,
        length: Duration,
    ) -> Result<bool, ListFault> {
        let mut script = LEASED.prepare_invoke();
        let millis = u64::try_from(length.as_millis()).expect("a lease is few milliseconds");
        script.key(key).arg(hex(&worker.0)).arg(millis);
        let mut connection = self.work.get().await?;
        let result = script.invoke_async(&mut connection).await;
        self.work.checked(result).await
    }

    pub(super) async fn query<T: redis::FromRedisValue>(
        &self,
        connection: &Connection,
        pipeline: &Pipeline,
    ) -> Result<T, ListFault> {
        let mut link = connection.get().await?;
        let result = pipeline.query_async(&mut link).await;
        connection.checked(result).await
    }
}

#[async_trait]
impl List for RedisList {
    async fn barrier(&self, worker: WorkerId, events: &[EventKey]) -> Result<Reading, ListFault> {
        let mut script = BARRIER.prepare_invoke();
        script.key(&self.meta).key(self.keys.barriers()).arg(hex(&worker.0)).arg(self.keys.tag());
        for event in events {
            let (name, field) = Hash::Events.place(&event.0);
            script.arg(name).arg(&field);
        }
        let mut connection = self.barriers.get().await?;
        let reply: Result<Vec<Value>, _> = script.invoke_async(&mut connection).await;
        let reply = self.barriers.checked(reply).await?;
        let reading = read_barrier(reply, events.len()).ok_or(ListFault::Unreadable("the list's head"))?;
        self.replicas(&mut connection).await?;
        Ok(reading)
    }

    async fn head(&self) -> Result<Option<(Head, u32)>, ListFault> {
        let mut connection = self.work.get().await?;
        let result = cmd("HMGET").arg(&self.meta).arg(&meta::FIELDS).query_async(&mut connection).await;
        let values: Vec<Option<String>> = self.work.checked(result).await?;
        if values.iter().all(Option::is_none) {
            return Ok(None);
        }
        meta::read(&values).map(Some).ok_or(ListFault::Unreadable("the list's head"))
    }

    async fn create(&self, list: ListId) -> Result<bool, ListFault> {
        let mut script = CREATE.prepare_invoke();
        script.key(&self.meta);
        for (field, value) in meta::FIELDS.iter().zip(meta::write(&Head::new(list))) {
            script.arg(*field).arg(value);
        }
        let mut connection = self.work.get().await?;
        let result = script.invoke_async(&mut connection).await;
        self.work.checked(result).await
    }

    async fn read(&self, missing: &Missing, working: &mut Working) -> Result<(), ListFault> {
        self.read_people(missing, working).await?;
        let head = working.head.clone();
        let found = self.values(&head, Hash::Events, missing.events.iter().map(|key| &key.0)).await?;
        for (key, bytes) in missing.events.iter().zip(found) {
            working.events.insert(*key, read_outcome(bytes.as_deref(), &head.calendars)?);
        }
        self.read_requests(missing, working).await?;
        if missing.fences {
            let mut script = READ.prepare_invoke();
            self.at(&mut script, &head);
            script.arg("fences").arg("");
            let fences = self.read_at(&script).await?.pop().unwrap_or_default();
            let fences: BTreeMap<String, String> = parsed(fences)?;
            let read = fences.iter().map(|(worker, fence)| read_fence(worker, fence)).collect();
            working.fences = Some(Option::<Fences>::ok_or(read, ListFault::Unreadable("a fence"))?);
        }
        Ok(())
    }

    async fn apply(&self, before: &Head, working: &Working) -> Result<bool, ListFault> {
        let head = &working.head;
        let batch = Batch::of(working);
        let mut script = APPLY.prepare_invoke();
        script.key(&self.meta).key(self.keys.feed(before.list)).key(self.keys.due(before.list));
        script.arg(before.list.to_string()).arg(before.position).arg(meta::last(before));
        script.arg(self.keys.list(before.list));
        script.arg(head.position).arg(head.position.saturating_sub(FEED_RECORDS_MAX));
        script.arg(FEED_BYTES_MAX / (FEED_ENTRY_BYTES + batch.changes.len()));
        script.arg(head.revision).arg(meta::last(head)).arg(&batch.changes).arg(meta::FIELDS.len());
        for (field, value) in meta::FIELDS.iter().zip(meta::write(head)) {
            script.arg(*field).arg(value);
        }
        batch.put(&mut script);
        let mut connection = self.work.get().await?;
        let result = script.invoke_async(&mut connection).await;
        self.work.checked(result).await
    }

    async fn lease(&self, worker: WorkerId) -> Result<bool, ListFault> {
        self.lease_of(self.keys.lease(), worker, LEASE).await
    }

    async fn slice(&self, list: ListId, slice: u32) -> Result<Slice, ListFault> {
        let base = self.keys.list(list);
        let buckets = slice * SLICE_BUCKETS..(slice + 1) * SLICE_BUCKETS;
        let mut pipeline = pipe();
        // First, and from the same server as the rest: what follows is at least as new.
        pipeline.cmd("HMGET").arg(&self.meta).arg(&["list", "position"]);
        for bucket in buckets.clone() {
            pipeline.hgetall(format!("{base}{}", Hash::Standing.name(bucket)));
        }
        let mut replies: Vec<Value> = self.query(&self.bulk, &pipeline).await?;
        let at: (Option<String>, Option<u64>) = parsed(replies.remove(0))?;
        let (Some(serving), Some(position)) = at else { return Err(ListFault::Moved) };
        if serving != list.to_string() {
            return Err(ListFault::Moved);
        }
        let mut people = Vec::new();
        for (bucket, fields) in buckets.zip(&replies) {
            let read = read_bucket(bucket, fields, &mut people);
            read.ok_or(ListFault::Unreadable("an identifier's value"))?;
        }
        Ok(Slice { position, people })
    }

    fn slices(&self) -> u32 {
        BUCKETS / SLICE_BUCKETS
    }

    async fn follow(&self, list: ListId, after: u64) -> Result<Vec<FeedEntry>, ListFault> {
        let mut connection = self.feed.get().await?;
        let mut read = cmd("XREAD");
        read.arg("COUNT").arg(FEED_READ_MAX);
        read.arg("BLOCK").arg(u64::try_from(FEED_BLOCK.as_millis()).expect("a second is few milliseconds"));
        read.arg("STREAMS").arg(self.keys.feed(list)).arg(format!("{after}-0"));
        let result: Result<Value, _> = read.query_async(&mut connection).await;
        read_feed(self.feed.checked(result).await?).ok_or(ListFault::Unreadable("the feed"))
    }

    async fn refresh_feed(&self) {
        self.feed.refresh().await;
    }

    async fn refresh(&self) {
        self.work.refresh().await;
        self.feed.refresh().await;
        self.bulk.refresh().await;
    }
}
