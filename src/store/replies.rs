//! What Redis answered, as the domain's types. Total: anything unexpected is `None` or `Unreadable`.

use std::collections::BTreeSet;

use jiff::Timestamp;
use redis::Value;

use super::keys::digest_in;
use super::meta;
use crate::codec::record::unhex;
use crate::codec::value;
use crate::domain::digest::Digest;
use crate::domain::fold::Outcome;
use crate::domain::record::{ListId, Nonce, WorkerId};
use crate::domain::scope::Name;
use crate::domain::statement::Statement;
use crate::mirror::FeedEntry;
use crate::service::ports::{Identity, ListFault, Reading};

pub(super) fn parsed<T: redis::FromRedisValue>(reply: Value) -> Result<T, ListFault> {
    T::from_redis_value(reply).map_err(|_| ListFault::Unreadable("a reply"))
}

pub(super) fn read_outcome(bytes: Option<&[u8]>, calendars: &[Name]) -> Result<Option<Outcome>, ListFault> {
    bytes.map(|b| value::read_outcome(b, calendars).ok_or(ListFault::Unreadable("an outcome"))).transpose()
}

pub(super) fn read_fence(worker: &str, fence: &str) -> Option<(WorkerId, (u64, Nonce))> {
    let (position, nonce) = fence.split_once(' ')?;
    Some((WorkerId(unhex(worker)?), (position.parse().ok()?, Nonce(unhex(nonce)?))))
}

pub(super) fn read_barrier(reply: Vec<Value>, events: usize) -> Option<Reading> {
    let mut values = reply.into_iter();
    let mut text = || match values.next()? {
        Value::BulkString(bytes) => Some(String::from_utf8(bytes).ok()),
        Value::Nil => Some(None),
        _ => None,
    };
    let (run_id, replid) = (text()??, text()??);
    let (seconds, micros): (i64, i64) = (text()??.parse().ok()?, text()??.parse().ok()?);
    let server_time = Timestamp::from_microsecond(seconds * 1_000_000 + micros).ok()?;
    let Some(list) = text()? else {
        let none = Reading {
            identity: None,
            position: 0,
            revision: 0,
            last: None,
            fold: 0,
            keys: BTreeSet::new(),
            retired: BTreeSet::new(),
            fence: None,
            outcomes: vec![None; events],
            server_time,
        };
        return Some(none);
    };
    let identity = Identity { run_id, replid, list: ListId(unhex(&list)?) };
    let (position, revision) = (text()??.parse().ok()?, text()??.parse().ok()?);
    let tip = meta::read_last(&text()??)?;
    let (fold, keys) = (text()??.parse().ok()?, meta::read_keys(&text()??)?);
    let calendars = meta::read_calendars(&text()?.unwrap_or_default())?;
    let retired = meta::read_keys(&text()?.unwrap_or_default())?;
    let fence = match text()? {
        Some(fence) => Some(Nonce(unhex(fence.split_once(' ')?.1)?)),
        None => None,
    };
    let outcomes: Vec<Option<Outcome>> = values
        .map(|value| match value {
            Value::BulkString(bytes) => value::read_outcome(&bytes, &calendars).map(Some),
            Value::Nil => Some(None),
            _ => None,
        })
        .collect::<Option<_>>()?;
    (outcomes.len() == events).then_some(Reading {
        identity: Some(identity),
        position,
        revision,
        last: tip,
        fold,
        keys,
        retired,
        fence,
        outcomes,
        server_time,
    })
}

/// The identifiers in one small hash, `[field, value, …]`, added to those of the hashes before it. Millions come
/// one after another while a mirror loads: nothing is copied on the way.
pub(super) fn read_bucket(
    bucket: u32,
    reply: &Value,
    people: &mut Vec<(Digest, Vec<Statement>)>,
) -> Option<()> {
    let Value::Array(fields) = reply else { return None };
    let (pairs, []) = fields.as_chunks::<2>() else { return None };
    people.reserve(pairs.len());
    for [field, value] in pairs {
        let (Value::BulkString(field), Value::BulkString(value)) = (field, value) else { return None };
        people.push((digest_in(bucket, field)?, value::read_standing(value)?.0));
    }
    Some(())
}

/// `[[key, [[id, [field, value, …]], …]]]`, or nil.
pub(super) fn read_feed(reply: Value) -> Option<Vec<FeedEntry>> {
    let Value::Array(mut streams) = reply else { return matches!(reply, Value::Nil).then(Vec::new) };
    let Some(Value::Array(stream)) = streams.pop() else { return None };
    let Some(Value::Array(entries)) = stream.into_iter().nth(1) else { return None };
    entries.into_iter().map(read_feed_entry).collect()
}

fn read_feed_entry(entry: Value) -> Option<FeedEntry> {
    let Value::Array(parts) = entry else { return None };
    let [Value::BulkString(id), Value::Array(fields)] = &parts[..] else { return None };
    let field = |name: &str| {
        fields.as_chunks::<2>().0.iter().find_map(|[key, value]| match (key, value) {
            (Value::BulkString(key), Value::BulkString(value)) if key == name.as_bytes() => Some(&value[..]),
            _ => None,
        })
    };
    let number = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse().ok();
    let changes = value::read_changes(field("changes")?)?
        .into_iter()
        .map(|(digest, value)| match value {
            [] => Some((digest, vec![])),
            value => Some((digest, value::read_standing(value)?.0)),
        })
        .collect::<Option<_>>()?;
    let record = |bytes: &[u8]| meta::read_last(std::str::from_utf8(bytes).ok()?);
    Some(FeedEntry {
        before: record(field("before")?)?,
        last: record(field("last")?)?,
        from: number(field("from")?)?,
        to: number(id.strip_suffix(b"-0")?)?,
        revision: number(field("revision")?)?,
        changes,
    })
}
