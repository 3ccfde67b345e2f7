//! The list's head as the fields of a hash.

use std::collections::{BTreeMap, BTreeSet};

use crate::codec::record::{hex, unhex, unhex_all};
use crate::domain::digest::KeyCheck;
use crate::domain::fold::{FOLD_VERSION, Head};
use crate::domain::record::{LedgerId, ListId, RecordId};
use crate::domain::scope::Name;
use crate::domain::words::IdentifierKind;

/// The fields in the order in which they are read.
pub(super) const FIELDS: [&str; 11] = [
    "list",
    "position",
    "revision",
    "last",
    "ledger",
    "fold",
    "keys",
    "counts",
    "reviews",
    "calendars",
    "retired",
];

/// A head as its fields' values, in the order of [`FIELDS`].
pub(super) fn write(head: &Head) -> [String; 11] {
    let keys = |keys: &BTreeSet<KeyCheck>| keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let counts: Vec<String> =
        head.counts.iter().map(|((key, kind), count)| format!("{key}/{kind}={count}")).collect();
    [
        head.list.to_string(),
        head.position.to_string(),
        head.revision.to_string(),
        last(head),
        head.ledger.map(|ledger| ledger.to_string()).unwrap_or_default(),
        FOLD_VERSION.to_string(),
        keys(&head.keys),
        counts.join(","),
        head.reviews.iter().map(|(source, count)| format!("{source}={count}")).collect::<Vec<_>>().join(","),
        // The names are people's own: nothing that they contain may separate them.
        head.calendars.iter().map(|name| hex(name.as_bytes())).collect::<Vec<_>>().join(","),
        keys(&head.retired),
    ]
}

/// The last record's name as it is stored.
pub(super) fn last(head: &Head) -> String {
    head.last.map(|id| hex(&id.0)).unwrap_or_default()
}

/// A head and its fold version from its fields' values.
pub(super) fn read(values: &[Option<String>]) -> Option<(Head, u32)> {
    let [list, position, revision, last_record, ledger, fold, keys, counts, reviews, calendars, retired] =
        values
    else {
        return None;
    };
    let head = Head {
        list: ListId(unhex(list.as_ref()?)?),
        position: position.as_ref()?.parse().ok()?,
        revision: revision.as_ref()?.parse().ok()?,
        last: read_last(last_record.as_ref()?)?,
        ledger: some_hex(ledger.as_ref()?)?.map(LedgerId),
        keys: read_keys(keys.as_ref()?)?,
        counts: read_counts(counts.as_ref()?)?,
        // The first fold kept neither.
        reviews: read_reviews(reviews.as_deref().unwrap_or_default())?,
        calendars: read_calendars(calendars.as_deref().unwrap_or_default())?,
        // Before any key could be retired, none was.
        retired: read_keys(retired.as_deref().unwrap_or_default())?,
    };
    Some((head, fold.as_ref()?.parse().ok()?))
}

/// The last record's name from what is stored.
#[expect(clippy::option_option, reason = "absent and unreadable are different answers")]
pub(super) fn read_last(text: &str) -> Option<Option<RecordId>> {
    some_hex(text).map(|id| id.map(RecordId))
}

/// Key checks as they are stored.
pub(super) fn read_keys(text: &str) -> Option<BTreeSet<KeyCheck>> {
    text.split(',').filter(|key| !key.is_empty()).map(|key| Some(KeyCheck(unhex(key)?))).collect()
}

fn read_counts(text: &str) -> Option<BTreeMap<(KeyCheck, IdentifierKind), u64>> {
    let one = |text: &str| {
        let (name, count) = text.split_once('=')?;
        let (key, kind) = name.split_once('/')?;
        Some(((KeyCheck(unhex(key)?), IdentifierKind::parse(kind)?), count.parse().ok()?))
    };
    text.split(',').filter(|count| !count.is_empty()).map(one).collect()
}

/// Requests in review by source, as they are stored.
pub(super) fn read_reviews(text: &str) -> Option<BTreeMap<String, u64>> {
    let one = |text: &str| {
        let (source, count) = text.split_once('=')?;
        Some((source.to_owned(), count.parse().ok()?))
    };
    text.split(',').filter(|count| !count.is_empty()).map(one).collect()
}

/// The names of calendars as they are stored.
pub(super) fn read_calendars(text: &str) -> Option<Vec<Name>> {
    let one = |text: &str| String::from_utf8(unhex_all(text)?).ok().map(Name::from);
    text.split(',').filter(|name| !name.is_empty()).map(one).collect()
}

/// Nothing, or a whole name; anything else is unreadable.
#[expect(clippy::option_option, reason = "absent and unreadable are different answers")]
fn some_hex(text: &str) -> Option<Option<[u8; 16]>> {
    if text.is_empty() { Some(None) } else { unhex(text).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_comes_back_from_its_fields() {
        let mut head = Head::new(ListId([1; 16]));
        assert_eq!(read(&write(&head).map(Some)), Some((head.clone(), FOLD_VERSION)));
        head.last = Some(RecordId([2; 16]));
        head.ledger = Some(LedgerId([3; 16]));
        head.keys = [KeyCheck([4; 8]), KeyCheck([5; 8])].into();
        head.retired = [KeyCheck([6; 8])].into();
        head.counts = [((KeyCheck([4; 8]), IdentifierKind::Phone), 7)].into();
        head.reviews = [("call_center".into(), 2), ("email".into(), 1)].into();
        head.calendars = vec!["kz-2026.2".into(), "a, b".into()];
        assert_eq!(read(&write(&head).map(Some)), Some((head, FOLD_VERSION)));
    }

    #[test]
    fn a_head_from_before_there_were_requests_is_read() {
        let head = Head::new(ListId([1; 16]));
        let mut values = write(&head).map(Some);
        (values[8], values[9], values[10]) = (None, None, None);
        assert_eq!(read(&values), Some((head, FOLD_VERSION)));
    }

    #[test]
    fn a_head_with_a_field_missing_is_not_one() {
        let mut values = write(&Head::new(ListId([1; 16]))).map(Some);
        values[2] = None;
        assert_eq!(read(&values), None);
    }
}
