//! Nobody knows where the ledger ends: readers see records late, and one beyond the end hears nothing.

use super::{ALICE, BOB, only};
use crate::fakes::outside::let_pass;
use crate::world::{A_WHILE, World};

#[tokio::test(start_paused = true)]
async fn history_18_healing_is_done_when_the_own_fence_came_back_and_not_before() {
    let world = World::new();
    let w0 = world.started().await;
    let alices = world.stream.len();
    w0.opt_out(&world, ALICE).done().await;
    w0.broker.sees_until(alices);
    world.redis.flush(0);
    let job = w0.job(&world, &[ALICE, BOB]);
    let_pass(A_WHILE).await;
    assert_eq!(world.redis.position(0), alices, "everything that the reader knows of is applied");
    assert!(!job.is_out());
    w0.broker.sees_until(u64::MAX);
    assert_eq!(job.output().await.kept, only([BOB]));
}

#[tokio::test(start_paused = true)]
async fn history_19_a_consumer_that_hears_nothing_any_more_is_replaced() {
    let world = World::new();
    let w0 = world.started().await;
    w0.broker.deafen();
    let mut event = w0.opt_out(&world, ALICE);
    let_pass(A_WHILE / 10).await;
    assert!(!world.has(ALICE), "its record is in the ledger, and nobody reads it");
    event.done().await;
    assert_eq!(w0.job(&world, &[ALICE, BOB]).output().await.kept, only([BOB]));
}
