//! Two appliers, answers that do not come, and what the same ledger always gives.

use super::{ALICE, BOB, CAROL, only};
use crate::fakes::outside::let_pass;
use crate::fakes::steps::{Call, Step};
use crate::world::{A_WHILE, Receipt, World};

#[tokio::test(start_paused = true)]
async fn history_12_a_slow_applier_changes_nothing_any_more() {
    let world = World::new();
    let (w0, w1) = (world.started().await, world.started().await);
    let mut fast = w0.steps.hold(Step::Before(Call::Apply));
    let mut slow = w1.steps.hold(Step::Before(Call::Apply));
    let mut alice = w0.opt_out(&world, ALICE);
    fast.reached().await;
    slow.reached().await;
    fast.go();
    alice.done().await;
    w0.opt_out(&world, BOB).done().await;
    let before = (world.redis.head(0), world.redis.content(0), world.redis.feed(0));
    slow.go();
    let_pass(A_WHILE).await;
    let after = (world.redis.head(0), world.redis.content(0), world.redis.feed(0));
    assert_eq!(before, after, "what it would write has Alice alone, at the position before Bob's");
    assert_eq!(w1.job(&world, &[ALICE, BOB, CAROL]).output().await.kept, only([CAROL]));
}

#[tokio::test(start_paused = true)]
async fn history_12_values_of_a_newer_list_are_not_folded_onto_an_older_head() {
    let world = World::new();
    let (w0, w1) = (world.started().await, world.started().await);
    world.redis.save(0);
    let saved = world.redis.head(0);
    let mut read = w1.steps.hold(Step::Before(Call::Read));
    let mut apply = w0.steps.hold(Step::Before(Call::Apply));
    let mut alice = w0.opt_out(&world, ALICE);
    apply.reached().await;
    read.reached().await;
    apply.go();
    alice.done().await;
    drop(w0);
    // W1 computed from the head before Alice, and reads her outcome: to it, her record would be a repetition.
    let mut answered = w1.steps.hold(Step::Answered(Call::Read));
    read.go();
    answered.reached().await;
    world.redis.restart(0);
    assert!(
        world.redis.head(0) == saved && !world.has(ALICE),
        "and the list is where W1 computed from, again"
    );
    answered.go();
    assert_eq!(w1.job(&world, &[ALICE, BOB]).output().await.kept, only([BOB]));
    assert!(world.has(ALICE));
}

#[tokio::test(start_paused = true)]
async fn history_21_a_batch_whose_answer_got_lost_is_applied_once() {
    let world = World::new();
    let w0 = world.started().await;
    w0.steps.fail(Step::After(Call::Apply));
    w0.opt_out(&world, ALICE).done().await;
    assert_eq!(world.receipts(), [receipt("e-1", "applied", 1)]);
    assert_eq!(world.redis.head(0).unwrap().revision, 1);
}

#[tokio::test(start_paused = true)]
async fn history_21_an_append_whose_confirm_got_lost_is_one_event() {
    let world = World::new();
    let w0 = world.started().await;
    let before = world.stream.len();
    w0.steps.fail(Step::After(Call::Append));
    w0.opt_out(&world, ALICE).done().await;
    assert_eq!(world.stream.len(), before + 2, "it is in the ledger twice");
    assert_eq!(world.receipts(), [receipt("e-1", "applied", 1)]);
}

#[tokio::test(start_paused = true)]
async fn history_21_a_crash_before_the_receipt_does_not_make_the_event_a_duplicate() {
    let world = World::new();
    let (w0, w1) = (world.started().await, world.started().await);
    let mut publish = w0.steps.hold(Step::Before(Call::Publish));
    let held = w0.opt_out(&world, ALICE);
    publish.reached().await;
    assert!(world.has(ALICE) && !held.is_acked(), "it is applied, and nobody was told");
    drop(w0);
    w1.again(&world, &held).done().await;
    assert_eq!(world.receipts(), [receipt("e-1", "applied", 1)]);
    w1.opt_out_named(&world, "e-1", ALICE).done().await;
    assert_eq!(world.receipts()[1], receipt("e-1", "duplicate", 1), "what the source sends again is one");
}

#[tokio::test(start_paused = true)]
async fn history_14_an_event_id_with_other_content_is_refused_by_a_rebuilt_list_too() {
    let world = World::new();
    let w0 = world.started().await;
    w0.opt_out_named(&world, "x", ALICE).done().await;
    w0.opt_out_named(&world, "x", BOB).done().await;
    let dead = |world: &World| world.mail.all().iter().filter(|message| message.exchange == "dead").count();
    assert!(dead(&world) == 1 && !world.has(BOB), "the first one counts");
    let before = world.redis.content(0);
    world.redis.flush(0);
    w0.opt_out(&world, CAROL).done().await;
    assert!(world.has(ALICE) && !world.has(BOB), "the refused record is in the ledger, and refused again");
    assert_eq!(world.redis.content(0).0, before.0 + 1);
}

#[tokio::test(start_paused = true)]
async fn history_20_the_same_ledger_gives_the_same_list_in_an_empty_redis() {
    let world = World::new();
    let (w0, w1) = (world.started().await, world.started().await);
    w0.opt_out(&world, ALICE).done().await;
    w1.opt_out(&world, BOB).done().await;
    w1.opt_out_named(&world, "e-1", ALICE).done().await;
    let before = world.redis.content(0);
    world.redis.flush(0);
    w0.ready().await;
    w1.job(&world, &[ALICE]).done().await;
    assert_eq!(world.redis.content(0), before, "people, outcomes and the revision");
}

fn receipt(event: &str, status: &str, revision: u64) -> Receipt {
    Receipt { event: event.into(), status: status.into(), revision: Some(revision) }
}
