//! Bugs that somebody could write, each of which the simulator must find.
//!
//! They are the mistakes that are easily made (skip the barrier, acknowledge before the confirm) and the rules of the
//! protocol, each switched off, most of them clause by clause. Behind each, the seed that found it first when
//! this was written (half of them within 20 histories, the slowest after 222):
//!
//! | rule | switched off (seed) |
//! |---|---|
//! | 1 | whoever reads a record decides what it says (0) |
//! | 2 | an append without a confirm is given up (20) |
//! | 3 | no compare (9); two scripts (189) |
//! | 4 | the fold does not see which events it had (28) |
//! | 5 | settled before it is applied (0); by its place in the ledger (13); without replicas (87); its receipt is not confirmed (3); or forgotten (47); or says `duplicate` to who heard nothing (60); an output is not confirmed (3); or came back (20) |
//! | 6 | the position after the parts (2); parts of the list before and after a lost tail (17) |
//! | 7 | gaps are passed over (40); a silent feed is waited for (127); the mirror stays with a list that serves no longer (66) |
//! | 8 | the stamp of a later view (2) |
//! | 9 | a barrier under way serves who comes (47); no `WAIT` (87); a barrier that only reads (87); whoever serves the list is the same (5) |
//! | 10 | no fence (0); a fence for another identity (92); a fence that no replica confirmed (129) |
//! | 11 | no barrier (0); an old barrier (128); published again as it was (6) |
//! | 12 | a new list has the old name (9); it begins at the ledger's end (1) |
//! | 13 | compared with what the mirror has by then (222) |
//! | 14 | a reader that hears nothing is kept (58); the end that the broker tells (147) |
//! | 15 | any ledger (4) |
//! | 16 | any clock (97) |
//! | 17 | any keys (72) |
//! | 18 | any version (3) |
//!
//! Not among them, because another rule stands against it as well: the last record's id in the compare (3: for two
//! records in one place, ledger and list must lose their tails at once, and a Redis that lost its own has broken the
//! connection of whoever computed a batch before; else the ledger is checked first, 15); the barrier after the outcome (5:
//! one script reads both, so there is nothing between them; its `WAIT` is switched off above); the second position that a
//! load waits for (6: each job waits for its own, 11); that a list is created only if there is none (12: whichever there
//! is needs a fence). Some are told step by step in [`histories`](crate::histories).

use std::panic::{AssertUnwindSafe, catch_unwind};

use suppressd::fail_points::FailPoint;

use super::{ONE, Servers, THREE, TWO, run};
use crate::fakes::redis::Flaw;

/// Histories in which a bug must have shown itself.
const HISTORIES_MAX: u64 = 600;

/// What is broken.
enum Broken {
    Worker(FailPoint),
    Scripts(Flaw),
}

/// Runs until the law is broken. Answers the seed.
#[allow(clippy::print_stderr, reason = "how soon it is found")]
fn must_be_found(broken: &Broken, servers: Servers, tells: &[&str]) {
    let (point, flaw) = match broken {
        Broken::Worker(point) => (Some(*point), None),
        Broken::Scripts(flaw) => (None, Some(*flaw)),
    };
    for seed in 0..HISTORIES_MAX {
        let history = AssertUnwindSafe(|| run(seed, servers, point.as_slice(), flaw));
        let Err(panic) = catch_unwind(history) else { continue };
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default();
        assert!(
            tells.iter().any(|tell| words.contains(tell)),
            "{point:?}{flaw:?}, seed {seed}: it shows as another mistake: {words}"
        );
        eprintln!("{point:?}{flaw:?}: found by seed {seed}");
        return;
    }
    panic!("{point:?}{flaw:?}: not found in {HISTORIES_MAX} histories");
}

/// One test a bug, so that they share the cores and each has its name.
macro_rules! planted {
    ($($test:ident: $broken:expr, $servers:expr, $tells:expr;)+) => {
        $(#[test]
        fn $test() {
            must_be_found(&$broken, $servers, $tells);
        })+
    };
}

use Broken::{Scripts, Worker};

const LEAKS: &[&str] = &["leaks"];
const LOSES: &[&str] = &["without its effect", "never happens"];
const STALE: &[&str] = &["older than"];
const WRONG: &[&str] = &["leaks", "is not the fold"];
const REPEATS: &[&str] = &["only hears of repetitions"];
const FALSE_ALARM: &[&str] = &["nothing was lost"];
const MEDDLES: &[&str] = &["of another version"];

planted! {
    filtering_without_a_barrier_is_found: Worker(FailPoint::SkipBarrier), ONE, LEAKS;
    acknowledging_before_the_confirm_is_found: Worker(FailPoint::AckUnconfirmed), ONE, LOSES;
    taking_a_returned_message_for_delivered_is_found:
        Worker(FailPoint::ReturnedIsDelivered), ONE, LOSES;
    forgetting_the_receipt_of_an_event_that_comes_again_is_found:
        Worker(FailPoint::ForgetReceipt), ONE, LOSES;
    settling_an_event_before_it_is_applied_is_found:
        Worker(FailPoint::SettleUnapplied), ONE, LOSES;
    publishing_what_was_filtered_long_ago_is_found: Worker(FailPoint::PublishStale), ONE, STALE;
    a_barrier_that_serves_who_came_after_it_was_sent_is_found:
        Worker(FailPoint::BarrierUnderWay), ONE, LEAKS;
    believing_a_list_without_a_fence_is_found: Worker(FailPoint::NoFence), ONE, LEAKS;
    a_fence_for_another_identity_is_found: Worker(FailPoint::AnyFence), TWO, LEAKS;
    a_mirror_that_takes_a_later_position_for_its_own_is_found: Worker(FailPoint::LoadLate), ONE, LEAKS;
    a_mirror_that_passes_over_trimmed_entries_is_found: Worker(FailPoint::IgnoreGaps), ONE, LEAKS;
    a_mirror_that_stays_with_a_list_that_serves_no_longer_is_found: Worker(FailPoint::KeepMirror), ONE, LOSES;
    parts_of_a_list_before_and_after_a_lost_tail_are_found: Worker(FailPoint::LoadAcross), ONE, LEAKS;
    barriers_that_only_read_are_found: Scripts(Flaw::ReadsOnly), TWO, LEAKS;
    writing_without_comparing_is_found: Scripts(Flaw::NoCompare), ONE, WRONG;
    barriers_that_do_not_wait_for_replicas_are_found: Scripts(Flaw::NoWait), TWO, LEAKS;
    knowing_who_serves_by_the_list_alone_is_found: Scripts(Flaw::ListAlone), ONE, LEAKS;
    a_new_list_with_an_old_name_is_found: Scripts(Flaw::SameName), ONE, LEAKS;
    healing_from_the_end_of_the_ledger_is_found: Scripts(Flaw::HealFromNow), ONE, WRONG;
    failing_over_is_where_a_fence_counts: Worker(FailPoint::NoFence), THREE, LEAKS;
    records_that_say_what_their_reader_decides_are_found: Scripts(Flaw::DecidedByReaders), ONE, WRONG;
    giving_up_an_append_that_was_not_confirmed_is_found: Worker(FailPoint::AppendOnce), ONE, LOSES;
    outcomes_that_are_written_apart_are_found: Scripts(Flaw::TwoScripts), ONE, WRONG;
    a_fold_that_forgets_events_is_found: Scripts(Flaw::ForgetsEvents), ONE, WRONG;
    taking_a_place_in_the_ledger_for_an_outcome_is_found: Scripts(Flaw::OutcomeByPosition), ONE, LEAKS;
    acknowledging_without_replicas_is_found: Scripts(Flaw::NoWaitForEvents), TWO, LEAKS;
    acknowledging_before_the_receipt_is_confirmed_is_found: Worker(FailPoint::TellOnce), ONE, LOSES;
    telling_a_source_of_repetitions_alone_is_found: Worker(FailPoint::AlwaysDuplicate), ONE, REPEATS;
    waiting_for_a_feed_for_ever_is_found: Worker(FailPoint::NeverReload), ONE, LOSES;
    a_stamp_of_another_view_is_found: Worker(FailPoint::MixedView), ONE, LEAKS;
    publishing_on_an_old_barrier_is_found: Worker(FailPoint::PublishOld), ONE, STALE;
    a_fence_that_no_replica_confirmed_is_found: Scripts(Flaw::FenceTooEarly), THREE, LEAKS;
    a_mirror_that_overtook_a_barrier_is_no_loss: Worker(FailPoint::LostLate), ONE, FALSE_ALARM;
    keeping_a_reader_that_hears_nothing_is_found: Worker(FailPoint::NoNewReader), ONE, LOSES;
    believing_the_end_that_the_broker_tells_is_found: Scripts(Flaw::EndByCount), ONE, LEAKS;
    applying_a_ledger_that_lost_records_is_found: Worker(FailPoint::AnyLedger), ONE, WRONG;
    dating_events_by_a_wrong_clock_is_found: Worker(FailPoint::AnyClock), ONE, LEAKS;
    filtering_without_a_key_is_found: Worker(FailPoint::AnyKey), ONE, LEAKS;
    applying_to_a_list_of_another_version_is_found: Worker(FailPoint::AnyVersion), ONE, MEDDLES;
}
