//! The mirror, while it loads and while it follows; and the barrier that it is compared with.

use std::time::Duration;

use super::{ALICE, BOB, CAROL, only};
use crate::fakes::outside::let_pass;
use crate::fakes::redis_link::{SLICES, Use};
use crate::fakes::steps::{Call, Step};
use crate::world::{A_WHILE, Person, World, soon};

#[tokio::test(start_paused = true)]
async fn history_8_a_feed_that_was_trimmed_under_a_slow_mirror_is_not_followed() {
    let world = World::new();
    let (w0, w1) = (world.started().await, world.started().await);
    let mut follow = w1.steps.hold(Step::Before(Call::Follow));
    follow.reached().await;
    let mirrored = w1.mirrored();
    w0.opt_out(&world, ALICE).done().await;
    w0.opt_out(&world, BOB).done().await;
    world.redis.trim_feed(0, 1);
    let feed = world.redis.feed(0);
    assert!(feed[0].0 > mirrored, "what the feed answers leaves Alice out, without an error: {feed:?}");
    follow.go();
    let job = w1.job(&world, &[ALICE, BOB, CAROL]);
    assert_eq!(job.output().await.kept, only([CAROL]));
}

#[tokio::test(start_paused = true)]
async fn history_9_what_changes_while_the_mirror_loads_is_in_it() {
    let world = World::new();
    let w0 = world.started().await;
    let early = Person::in_slice(0, 0);
    let w1 = world.start();
    let mut slice = w1.steps.hold(Step::Before(Call::Slice(SLICES - 1)));
    slice.reached().await;
    w0.opt_out(&world, early).done().await;
    // Their slice was read without them; a position read only now would claim that they are in.
    slice.go();
    assert_eq!(w1.job(&world, &[early, BOB]).output().await.kept, only([BOB]));
}

#[tokio::test(start_paused = true)]
async fn history_9_slices_of_two_lists_make_no_mirror() {
    let world = World::new();
    let w0 = world.started().await;
    let late = Person::in_slice(SLICES - 1, 0);
    w0.opt_out(&world, late).done().await;
    let w1 = world.start();
    let mut slice = w1.steps.hold(Step::Before(Call::Slice(SLICES - 1)));
    slice.reached().await;
    for worker in [&w0, &w1] {
        worker.broker.sees_until(1);
    }
    world.redis.flush(0);
    let_pass(A_WHILE).await;
    assert!(world.redis.head(0).is_some() && !world.has(late), "the last slice would come from the new list");
    slice.go();
    let job = w1.job(&world, &[late, BOB]);
    let_pass(A_WHILE).await;
    assert!(!job.is_out());
    for worker in [&w0, &w1] {
        worker.broker.sees_until(u64::MAX);
    }
    assert_eq!(job.output().await.kept, only([BOB]));
}

/// Two rules stand against this one, and either is enough: the slice's own position, and the identity that must be the
/// same before and after.
#[tokio::test(start_paused = true)]
async fn history_9_slices_of_one_list_before_and_after_a_lost_tail_make_no_mirror() {
    let world = World::new();
    let w0 = world.started().await;
    let late = Person::in_slice(SLICES - 1, 0);
    world.redis.save(0);
    let lates = world.stream.len();
    w0.opt_out(&world, late).done().await;
    let w1 = world.start();
    let mut slice = w1.steps.hold(Step::Before(Call::Slice(SLICES - 1)));
    slice.reached().await;
    for worker in [&w0, &w1] {
        worker.broker.sees_until(lates);
    }
    world.redis.restart(0);
    assert!(!world.has(late), "the last slice would come from the older list");
    slice.go();
    let job = w1.job(&world, &[late, BOB]);
    let_pass(A_WHILE).await;
    assert!(!job.is_out());
    for worker in [&w0, &w1] {
        worker.broker.sees_until(u64::MAX);
    }
    assert_eq!(job.output().await.kept, only([BOB]));
}

#[tokio::test(start_paused = true)]
async fn history_10_a_barrier_that_is_on_its_way_does_not_serve_who_comes_later() {
    let world = World::new();
    let (w0, w1) = (world.started().await, world.started().await);
    let mut follow = w1.steps.hold(Step::Before(Call::Follow));
    follow.reached().await;
    let mut barrier = w1.steps.hold(Step::After(Call::Barrier));
    barrier.reached().await;
    let read_at = world.redis.position(0);
    w0.opt_out(&world, ALICE).done().await;
    let job = w1.job(&world, &[ALICE, BOB]);
    assert_eq!(w1.mirrored(), read_at, "the barrier that was read before would let the mirror pass");
    barrier.go();
    let_pass(Duration::from_secs(5)).await;
    assert!(!job.is_out() && w1.mirrored() == read_at, "the next one does not");
    follow.go();
    assert_eq!(job.output().await.kept, only([BOB]));
}

#[tokio::test(start_paused = true)]
async fn history_16_a_mirror_that_overtook_a_barrier_is_no_lost_list() {
    let world = World::new();
    let (w0, w1) = (world.started().await, world.started().await);
    let mut barrier = w1.steps.hold(Step::After(Call::Barrier));
    barrier.reached().await;
    let read_at = world.redis.position(0);
    w0.opt_out(&world, ALICE).done().await;
    let mut shown = w1.mirror.shown();
    soon("the feed brings Alice", shown.wait_for(|shown| shown.position > read_at)).await.unwrap();
    let mut seen = w1.gate.glance();
    seen.borrow_and_update();
    barrier.go();
    seen.changed().await.unwrap();
    let glance = seen.borrow().clone();
    assert_eq!((glance.position, glance.lost), (read_at, None), "the answer is older than the mirror");
    assert!(w1.mirrored() > read_at);
}

#[tokio::test(start_paused = true)]
async fn history_16_a_first_replica_that_attaches_is_no_lost_list() {
    let world = World::new();
    let w0 = world.started().await;
    w0.opt_out(&world, ALICE).done().await;
    let before = w0.glance().identity.unwrap();
    let mut seen = w0.gate.glance();
    world.redis.change(0, |node| node.replid += 1);
    let job = w0.job(&world, &[ALICE, BOB]);
    loop {
        seen.changed().await.unwrap();
        let glance = seen.borrow_and_update().clone();
        assert_eq!(glance.lost, None);
        if glance.open && glance.identity.as_ref() != Some(&before) {
            break;
        }
    }
    assert_eq!(job.output().await.kept, only([BOB]));
}

#[tokio::test(start_paused = true)]
async fn history_19_a_feed_that_stays_silent_ends_in_a_new_load() {
    let world = World::new();
    let (w0, w1) = (world.started().await, world.started().await);
    let mut follow = w1.steps.hold(Step::Before(Call::Follow));
    follow.reached().await;
    w0.opt_out(&world, ALICE).done().await;
    world.redis.trim_feed(0, 0);
    assert!(world.redis.feed(0).is_empty(), "there is nothing to read, and no error");
    follow.go();
    let job = w1.job(&world, &[ALICE, BOB]);
    assert_eq!(job.output().await.kept, only([BOB]));
}

#[tokio::test(start_paused = true)]
async fn history_9_a_slice_of_a_server_that_lags_makes_no_mirror() {
    let world = World::with_redis(2, 0);
    let w0 = world.started().await;
    world.redis.replicate(0);
    world.redis.change(1, |node| node.attached = false);
    w0.opt_out(&world, ALICE).done().await;
    let w1 = world.start();
    w1.redis.connect(Use::Bulk, 1);
    let job = w1.job(&world, &[ALICE, BOB]);
    assert!(!world.redis.has(1, ALICE.digest()), "its slices lack Alice");
    assert_eq!(job.output().await.kept, only([BOB]));
}
