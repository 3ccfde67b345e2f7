//! Several servers, of which one after the other serves, or two at once.

use suppressd::service::ports::List;

use super::{ALICE, BOB, only};
use crate::fakes::outside::let_pass;
use crate::world::{A_WHILE, World};

#[tokio::test(start_paused = true)]
async fn history_5_a_cut_off_primary_serves_no_job() {
    let world = World::with_redis(3, 1);
    let (w0, w1) = (world.started().await, world.started().await);
    world.redis.promote(1);
    world.redis.copy_from(2, 1);
    w0.redis.move_to(1);
    w0.opt_out(&world, ALICE).done().await;
    assert!(world.redis.has(1, ALICE.digest()) && !world.redis.has(0, ALICE.digest()));
    let job = w1.job(&world, &[ALICE, BOB]);
    let_pass(A_WHILE).await;
    let (head, _) = w1.redis.head().await.expect("the old primary still answers reads").unwrap();
    assert_eq!(head.position, w1.mirrored(), "and the mirror has all that it shows");
    assert!(!job.is_out(), "but no replica confirms its barriers");
    w1.redis.move_to(1);
    assert_eq!(job.output().await.kept, only([BOB]));
}

#[tokio::test(start_paused = true)]
async fn history_5_a_primary_without_its_replicas_and_a_replica_refuse_the_barrier() {
    let world = World::with_redis(2, 0);
    world.redis.change(0, |node| node.min_replicas = 1);
    let (w0, w1) = (world.started().await, world.started().await);
    world.redis.replicate(0);
    world.redis.promote(1);
    w0.redis.move_to(1);
    w0.opt_out(&world, ALICE).done().await;
    let job = w1.job(&world, &[ALICE, BOB]);
    let_pass(A_WHILE).await;
    assert!(w1.glance().why.contains("NOREPLICAS") && !job.is_out(), "{}", w1.glance().why);
    assert!(w1.redis.head().await.is_ok(), "reads would have been answered");
    let stale = world.redis.change(0, |node| node.data.clone());
    world.redis.copy_from(0, 1);
    world.redis.change(0, |node| (node.data, node.attached) = (stale, false));
    let_pass(A_WHILE).await;
    assert!(w1.glance().why.contains("READONLY") && !job.is_out(), "{}", w1.glance().why);
    assert!(!world.redis.has(0, ALICE.digest()), "a barrier that only reads would have let Alice pass");
    w1.redis.move_to(1);
    assert_eq!(job.output().await.kept, only([BOB]));
}

#[tokio::test(start_paused = true)]
async fn history_6_a_fence_waits_for_a_barrier_that_a_replica_confirmed() {
    let world = World::with_redis(3, 1);
    let (w0, w1) = (world.started().await, world.started().await);
    let_pass(A_WHILE / 10).await;
    world.redis.promote(1);
    w1.redis.move_to(1);
    let fences = world.stream.fences_of(w1.id);
    let_pass(A_WHILE).await;
    assert_eq!(world.stream.fences_of(w1.id), fences, "nobody follows the new primary yet");
    let alices = world.stream.len();
    w1.broker.sees_until(alices);
    w0.opt_out(&world, ALICE).done().await;
    assert!(world.redis.has(2, ALICE.digest()), "the replica of the old primary confirmed Alice");
    world.redis.copy_from(2, 1);
    assert!(!world.redis.has(2, ALICE.digest()), "and dropped her when it moved to the new one");
    let job = w1.job(&world, &[ALICE, BOB]);
    let_pass(A_WHILE).await;
    assert!(w1.glance().reachable, "barriers succeed now");
    assert!(world.stream.fences_of(w1.id) > fences, "so the fence stands behind Alice's record");
    assert!(!job.is_out() && !world.redis.has(1, ALICE.digest()));
    w1.broker.sees_until(u64::MAX);
    assert_eq!(job.output().await.kept, only([BOB]));
}

#[tokio::test(start_paused = true)]
async fn history_7_neither_an_acknowledgement_nor_an_output_does_without_the_replica() {
    let world = World::with_redis(2, 1);
    let w0 = world.started().await;
    world.redis.change(1, |node| node.attached = false);
    let mut event = w0.opt_out(&world, ALICE);
    let job = w0.job(&world, &[ALICE, BOB]);
    let_pass(A_WHILE).await;
    assert!(world.has(ALICE) && !world.redis.has(1, ALICE.digest()), "the primary alone has it");
    assert!(!event.is_acked() && !job.is_out());
    world.redis.change(1, |node| node.attached = true);
    event.done().await;
    assert!(world.redis.has(1, ALICE.digest()));
    assert_eq!(job.output().await.kept, only([BOB]));
}

#[tokio::test(start_paused = true)]
async fn history_2_a_replica_that_lagged_heals_before_it_serves() {
    let world = World::with_redis(2, 0);
    let w0 = world.started().await;
    world.redis.replicate(0);
    world.redis.change(1, |node| node.attached = false);
    let alices = world.stream.len();
    w0.opt_out(&world, ALICE).done().await;
    w0.broker.sees_until(alices);
    world.redis.change(0, |node| node.up = false);
    world.redis.promote(1);
    w0.redis.route(1);
    let job = w0.job(&world, &[ALICE, BOB]);
    let_pass(A_WHILE).await;
    assert!(w0.glance().reachable && !world.redis.has(1, ALICE.digest()) && !job.is_out());
    w0.broker.sees_until(u64::MAX);
    assert_eq!(job.output().await.kept, only([BOB]));
}
