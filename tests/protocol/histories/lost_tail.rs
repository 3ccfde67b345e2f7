//! Redis restarts and has lost what came after its last save.

use super::{ALICE, BOB, CAROL, only};
use crate::fakes::outside::let_pass;
use crate::fakes::steps::{Call, Step};
use crate::world::{A_WHILE, World};

#[tokio::test(start_paused = true)]
async fn history_1_a_lost_record_is_applied_again_before_any_later_one() {
    let world = World::new();
    let w0 = world.started().await;
    world.redis.save(0);
    let alices = world.stream.len();
    w0.opt_out(&world, ALICE).done().await;
    world.redis.restart(0);
    assert!(!world.has(ALICE), "the tail is lost");
    let mut apply = w0.steps.hold(Step::Before(Call::Apply));
    let mut bob = w0.opt_out(&world, BOB);
    apply.reached().await;
    assert!(world.redis.position(0) <= alices, "Bob's record alone would set a checkpoint beyond Alice's");
    apply.go();
    bob.done().await;
    assert!(world.has(ALICE), "Bob's record is in, so Alice's is");
    let missed = w0.missed().map(|(_, what)| what);
    assert_eq!(missed, Some("Redis has an older list than before"), "whoever mends it knows of it");
    drop(w0);
    let w1 = world.started().await;
    assert_eq!(w1.job(&world, &[ALICE, BOB, CAROL]).output().await.kept, only([CAROL]));
}

#[tokio::test(start_paused = true)]
async fn history_2_a_fresh_worker_does_not_trust_what_it_finds() {
    let world = World::new();
    let w0 = world.started().await;
    world.redis.save(0);
    let alices = world.stream.len();
    w0.opt_out(&world, ALICE).done().await;
    drop(w0);
    world.redis.restart(0);
    let w1 = world.start();
    w1.broker.sees_until(alices);
    let job = w1.job(&world, &[ALICE, BOB]);
    let_pass(A_WHILE).await;
    let glance = w1.glance();
    assert!(glance.reachable && w1.mirrored() == glance.position, "the mirror is where the barrier is");
    assert!(!world.has(ALICE) && !job.is_out(), "but the list is not whole, and the fence knows");
    w1.broker.sees_until(u64::MAX);
    assert_eq!(job.output().await.kept, only([BOB]));
}

#[tokio::test(start_paused = true)]
async fn history_3_a_lost_revision_is_not_used_again_for_something_else() {
    let world = World::new();
    let (w0, w1) = (world.started().await, world.started().await);
    world.redis.save(0);
    w0.opt_out(&world, ALICE).done().await;
    let mut follow = w1.steps.hold(Step::Before(Call::Follow));
    follow.reached().await;
    let (revision, mirrored) = (world.redis.head(0).unwrap().revision, w1.mirrored());
    assert_eq!((revision, mirrored), (1, world.redis.position(0)), "the mirror has Alice at revision 1");
    world.redis.restart(0);
    assert_eq!(world.redis.head(0).unwrap().revision, 0, "revision 1 is free again");
    w0.opt_out(&world, BOB).done().await;
    let head = world.redis.head(0).unwrap();
    assert!(head.revision == 2 && head.position > mirrored, "Bob can only come after Alice");
    let job = w1.job(&world, &[ALICE, BOB, CAROL]);
    let_pass(A_WHILE / 10).await;
    assert!(!job.is_out());
    follow.go();
    assert_eq!(job.output().await.kept, only([CAROL]));
}

#[tokio::test(start_paused = true)]
async fn history_13_a_fence_from_before_a_restart_does_not_vouch_for_what_came_after_it() {
    let world = World::new();
    let w0 = world.started().await;
    world.redis.save(0);
    let w1 = world.start();
    let fence = world.stream.len();
    w1.broker.sees_until(fence);
    let_pass(A_WHILE / 10).await;
    assert_eq!(world.stream.fences_of(w1.id), 1, "the fence is in the ledger");
    w1.ready().await;
    w0.opt_out(&world, ALICE).done().await;
    for worker in [&w0, &w1] {
        worker.broker.sees_until(fence + 1);
    }
    world.redis.restart(0);
    let job = w1.job(&world, &[ALICE, BOB]);
    let_pass(A_WHILE).await;
    let applied = world.redis.change(0, |node| node.data.serving_list().unwrap().fences.contains_key(&w1.id));
    assert!(applied && !world.has(ALICE), "the old fence is in again, Alice is not");
    assert!(w1.glance().reachable && !w1.glance().open && !job.is_out());
    for worker in [&w0, &w1] {
        worker.broker.sees_until(u64::MAX);
    }
    assert_eq!(job.output().await.kept, only([BOB]));
}

#[tokio::test(start_paused = true)]
async fn history_27_what_only_the_mirror_still_has_is_not_in_the_list() {
    let world = World::new();
    let w0 = world.started().await;
    world.redis.save(0);
    let alices = world.stream.len();
    w0.opt_out(&world, ALICE).done().await;
    assert!(w0.mirrored() > alices, "the mirror has Alice");
    w0.broker.sees_until(alices);
    world.redis.restart(0);
    let mut repeated = w0.opt_out(&world, ALICE);
    let_pass(A_WHILE).await;
    assert!(!world.has(ALICE) && !repeated.is_acked(), "she said it again, and Redis does not have it");
    w0.broker.sees_until(u64::MAX);
    repeated.done().await;
    assert!(world.has(ALICE));
}
