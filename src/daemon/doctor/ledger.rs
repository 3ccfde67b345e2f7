//! The ledger: whether it is whole from its first record on, and the one that the list was folded from.

use super::broker::Looked;
use super::check::Check;
use crate::amqp::BrokerSettings;
use crate::codec::record;
use crate::domain::fold::Head;
use crate::domain::record::{Entry, LedgerId, Record, RecordId};

const NAME: &str = "ledger";
const LOST: &str =
    "events wait. Find out why, then run `suppressd rebuild`, which gives it what the list has";

/// What the ledger says of itself.
pub(super) struct Said {
    first: First,
    /// What stands where the list's last record should be.
    last_applied: Option<RecordId>,
}

/// How it begins.
enum First {
    /// It could not be read; its object says why.
    Unread,
    /// It is empty, or not there.
    Nothing,
    /// What came before this offset is gone.
    Trimmed(u64),
    /// As it must not.
    Strange(String),
    /// As `init` begins it.
    Genesis(LedgerId),
}

impl Said {
    pub(super) fn of(looked: &Looked, settings: &BrokerSettings) -> Self {
        let stream = looked.objects.iter().find(|object| object.name == settings.names.ledger);
        // One that is not there is as good as empty.
        let unreadable = stream.is_none_or(|stream| stream.differs.is_some() || !stream.refused.is_empty());
        let first = match &looked.first {
            None if unreadable => First::Unread,
            None => First::Nothing,
            Some((0, record)) => match record::read(record) {
                Ok(Entry { record: Record::Genesis { ledger, .. }, .. }) => First::Genesis(ledger),
                Ok(_) => {
                    First::Strange("its first record is not the one that `suppressd init` writes".into())
                }
                Err(unreadable) => First::Strange(unreadable.to_string()),
            },
            Some((offset, _)) => First::Trimmed(*offset),
        };
        // What comes from behind the place has another name, and is told from it by that.
        let last_applied = looked.last_applied.as_ref().and_then(|(_, record)| record::read(record).ok());
        Self { first, last_applied: last_applied.map(|entry| entry.id) }
    }

    /// Whether it has records.
    pub(super) fn is_begun(&self) -> bool {
        !matches!(self.first, First::Unread | First::Nothing)
    }
}

/// How it is, beside the list that Redis has.
pub(super) fn judge(said: &Said, list: Option<&Head>) -> Check {
    let ledger = match &said.first {
        First::Unread => return Check::skipped(NAME, "its stream cannot be read", None),
        First::Nothing if list.is_some_and(|list| list.position > 0) => {
            return Check::fault(NAME, "has no record, but Redis has a list that was folded from some", LOST);
        }
        First::Nothing => {
            return Check::fault(NAME, "has no first record", "run `suppressd init`, once an installation");
        }
        First::Trimmed(offset) => {
            let found = format!("its records before {offset} are gone: something limits the stream");
            let to_do =
                "remove the policy that does (`rabbitmqctl list_policies`); a worker refuses to apply it";
            return Check::fault(NAME, found, to_do);
        }
        First::Strange(why) => {
            return Check::fault(
                NAME,
                why.clone(),
                "set the amqp.prefix of this installation, or upgrade suppressd",
            );
        }
        First::Genesis(ledger) => *ledger,
    };
    let Some(list) = list.filter(|list| list.position > 0) else {
        return Check::ok(NAME, "begins with its first record, and nothing is trimmed");
    };
    if list.ledger.is_some_and(|of_list| of_list != ledger) {
        return Check::fault(NAME, "is not the one that the list in Redis was folded from", LOST);
    }
    // A place that RabbitMQ keeps for itself has a name too.
    let known = [said.last_applied, Some(Entry::void(list.position - 1).id)];
    if !known.contains(&list.last) {
        let found = format!("has not the {} records that the list in Redis was folded from", list.position);
        return Check::fault(NAME, found, LOST);
    }
    Check::ok(NAME, "begins with its first record, nothing is trimmed, and the list was folded from it")
}

#[cfg(test)]
mod tests {
    use super::super::check::Verdict;
    use super::*;
    use crate::domain::record::ListId;

    const LEDGER: LedgerId = LedgerId([1; 16]);
    const RECORD: RecordId = RecordId([2; 16]);

    fn list(position: u64, ledger: LedgerId, last: RecordId) -> Head {
        let mut head = Head::new(ListId([3; 16]));
        (head.position, head.ledger, head.last) = (position, Some(ledger), Some(last));
        head
    }

    #[test]
    fn a_ledger_is_whole_and_the_lists_own_or_it_is_said_what_is_wrong() {
        let fits = list(7, LEDGER, RECORD);
        let another = list(7, LedgerId([9; 16]), RECORD);
        let ahead = list(7, LEDGER, RecordId([9; 16]));
        let on_void = list(7, LEDGER, Entry::void(6).id);
        let empty = Head::new(ListId([3; 16]));
        let genesis = || First::Genesis(LEDGER);
        for (first, last_applied, list, verdict, word) in [
            (genesis(), None, None, Verdict::Ok, "nothing is trimmed"),
            (genesis(), None, Some(&empty), Verdict::Ok, "nothing is trimmed"),
            (genesis(), Some(RECORD), Some(&fits), Verdict::Ok, "folded from it"),
            (genesis(), None, Some(&fits), Verdict::Fault, "has not the 7 records"),
            (genesis(), Some(RECORD), Some(&ahead), Verdict::Fault, "has not the 7 records"),
            (genesis(), Some(RECORD), Some(&on_void), Verdict::Ok, "folded from it"),
            (genesis(), Some(RECORD), Some(&another), Verdict::Fault, "is not the one"),
            (First::Nothing, None, None, Verdict::Fault, "no first record"),
            (First::Nothing, None, Some(&empty), Verdict::Fault, "no first record"),
            (First::Nothing, None, Some(&fits), Verdict::Fault, "has no record"),
            (First::Trimmed(5), None, None, Verdict::Fault, "before 5"),
            (First::Strange("odd".into()), None, None, Verdict::Fault, "odd"),
            (First::Unread, None, None, Verdict::Skipped, "cannot be read"),
        ] {
            let check = judge(&Said { first, last_applied }, list);
            assert!(check.verdict == verdict && check.found.contains(word), "{check:?}");
            assert_eq!(check.to_do.is_some(), verdict == Verdict::Fault, "{check:?}");
        }
    }
}
