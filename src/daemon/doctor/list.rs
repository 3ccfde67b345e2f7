//! The list in Redis: whether there is one, which, and whether this program can go on with it.

use std::collections::BTreeSet;

use super::check::Check;
use super::ledger::Said;
use crate::domain::digest::KeyCheck;
use crate::domain::fold::{FOLD_VERSION, Head};
use crate::service::ports::ListFault;

const LIST: &str = "list";
const KEYS: &str = "list keys";
const FOLD: &str = "list fold";

/// What was read of the list; `None`: Redis could not be asked.
pub(super) type Read = Option<Result<Option<(Head, u32)>, ListFault>>;

/// How it is; `keys` are those that we have.
pub(super) fn judge(read: &Read, keys: &BTreeSet<KeyCheck>, ledger: Option<&Said>) -> Vec<Check> {
    match read {
        None => vec![],
        Some(Err(fault @ ListFault::Unavailable(_))) => {
            vec![Check::unavailable(LIST, fault.to_string(), "see the checks of Redis")]
        }
        Some(Err(fault)) => {
            let to_do = "upgrade suppressd, or set the redis.prefix of this installation";
            vec![Check::fault(LIST, fault.to_string(), to_do)]
        }
        Some(Ok(None)) => vec![none(ledger)],
        Some(Ok(Some((head, fold)))) => vec![there(head), depends(head, keys), folded(*fold)],
    }
}

fn none(ledger: Option<&Said>) -> Check {
    const FOUND: &str = "Redis has no list";
    match ledger {
        Some(ledger) if !ledger.is_begun() => {
            Check::fault(LIST, FOUND, "run `suppressd init`, once an installation")
        }
        _ => Check::warning(LIST, FOUND, "start a worker, which fills one from the ledger: `suppressd run`"),
    }
}

fn there(head: &Head) -> Check {
    let Head { list, position, revision, .. } = head;
    Check::ok(LIST, format!("list {list}: {position} records of the ledger are applied, revision {revision}"))
}

fn depends(head: &Head, keys: &BTreeSet<KeyCheck>) -> Check {
    let named = |keys: Vec<&KeyCheck>| keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let missing: Vec<_> = head.keys.difference(keys).collect();
    if !missing.is_empty() {
        let found = format!("the list depends on {}, which hashing.key_files does not have", named(missing));
        return Check::fault(KEYS, found, "add the file of that key: without it nobody can be found");
    }
    let retired: Vec<_> = keys.intersection(&head.retired).collect();
    if !retired.is_empty() {
        let found = format!("{} is retired: nothing depends on it any more", named(retired));
        return Check::warning(
            KEYS,
            found,
            "take the file of that key out of hashing.key_files of every worker",
        );
    }
    let new: Vec<_> = keys.difference(&head.keys).collect();
    match (head.keys.is_empty(), new.is_empty()) {
        (true, _) => Check::ok(KEYS, "nothing depends on a key yet"),
        (false, true) => Check::ok(
            KEYS,
            format!("every key that the list depends on is there: {}", named(head.keys.iter().collect())),
        ),
        (false, false) => {
            Check::ok(KEYS, format!("{} is new; the next worker that starts registers it", named(new)))
        }
    }
}

fn folded(fold: u32) -> Check {
    if fold == FOLD_VERSION {
        return Check::ok(FOLD, format!("this version of suppressd keeps it (fold {fold})"));
    }
    let found =
        format!("another version keeps it (fold {fold}, here {FOLD_VERSION}): this one would only filter");
    Check::warning(
        FOLD,
        found,
        "finish the upgrade: when all workers are of one version, `suppressd rebuild`",
    )
}

#[cfg(test)]
mod tests {
    use super::super::check::Verdict;
    use super::*;
    use crate::domain::record::ListId;

    fn check(byte: u8) -> KeyCheck {
        KeyCheck([byte; 8])
    }

    fn head(keys: &[u8]) -> Head {
        let mut head = Head::new(ListId([1; 16]));
        head.keys = keys.iter().map(|key| check(*key)).collect();
        head.retired = [check(9)].into();
        head
    }

    #[test]
    fn a_key_that_the_list_depends_on_must_be_there() {
        // Key 9 is retired.
        for (list, ours, verdict, word) in [
            (&[1][..], &[1, 9][..], Verdict::Warning, "0909090909090909 is retired"),
            (&[1], &[1], Verdict::Ok, "0101010101010101"),
            (&[1], &[1, 2], Verdict::Ok, "0202020202020202 is new"),
            (&[1, 2], &[1], Verdict::Fault, "0202020202020202"),
            (&[1], &[2], Verdict::Fault, "0101010101010101"),
            (&[], &[1], Verdict::Ok, "nothing depends"),
        ] {
            let ours = ours.iter().map(|key| check(*key)).collect();
            let judged = depends(&head(list), &ours);
            assert!(judged.verdict == verdict && judged.found.contains(word), "{judged:?}");
        }
    }

    #[test]
    fn a_list_is_there_or_it_is_said_how_there_comes_to_be_one() {
        let verdicts = |read: &Read| {
            judge(read, &BTreeSet::new(), None).iter().map(|one| one.verdict).collect::<Vec<_>>()
        };
        assert_eq!(verdicts(&None), []);
        assert_eq!(
            verdicts(&Some(Ok(None))),
            [Verdict::Warning],
            "with RabbitMQ away, nobody knows of a ledger"
        );
        assert_eq!(verdicts(&Some(Ok(Some((head(&[]), FOLD_VERSION))))), [Verdict::Ok; 3]);
        assert_eq!(
            verdicts(&Some(Ok(Some((head(&[]), FOLD_VERSION + 1))))),
            [Verdict::Ok, Verdict::Ok, Verdict::Warning]
        );
        assert_eq!(verdicts(&Some(Err(ListFault::Unreadable("the list's head")))), [Verdict::Fault]);
        assert_eq!(verdicts(&Some(Err(ListFault::Unavailable("x".into())))), [Verdict::Unavailable]);
    }
}
