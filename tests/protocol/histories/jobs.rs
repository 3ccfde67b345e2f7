//! What a job is judged on, how long that holds, and who may not judge at all.

use std::time::Duration;

use suppressd::domain::digest::HashKey;
use suppressd::domain::record::Record;
use suppressd::service::look_up::at_barrier;

use super::{ALICE, BOB, CAROL, only};
use crate::fakes::outside::let_pass;
use crate::fakes::steps::{Call, Step};
use crate::world::{A_WHILE, FOREIGN_KEY, KEYS, Setup, World, entry};

/// While somebody looks, the mirror cannot move: with one thread that cannot be raced here, the type says it (a view
/// borrows a read lock). What is tested is that the stamp and what was judged are of one moment.
#[tokio::test(start_paused = true)]
async fn history_23_an_output_is_stamped_with_the_revision_that_it_was_judged_at() {
    let world = World::new();
    let (w0, w1) = (world.started().await, world.started().await);
    w0.opt_out(&world, ALICE).done().await;
    let mut publish = w1.steps.hold(Step::Before(Call::Publish));
    let job = w1.job(&world, &[ALICE, BOB, CAROL]);
    publish.reached().await;
    w0.opt_out(&world, BOB).done().await;
    let seen = at_barrier(&w1.gate, &w1.mirror, 0, |mirror| (mirror.revision(), mirror.restricted())).await;
    assert!(matches!(seen, Ok(((2, 2), _))), "by now the mirror is further");
    publish.go();
    let output = job.output().await;
    assert_eq!((output.revision, output.kept), (1, only([BOB, CAROL])), "all of it is of revision 1");
}

#[tokio::test(start_paused = true)]
async fn history_24_what_could_not_be_published_is_judged_afresh() {
    let world = World::new();
    let (w0, w1) = (world.started().await, world.started().await);
    let mut publish = w1.steps.hold(Step::Before(Call::Publish));
    let job = w1.job(&world, &[ALICE, BOB]);
    publish.reached().await;
    let_pass(Duration::from_hours(1)).await;
    w0.opt_out(&world, ALICE).done().await;
    // The body that waits here was right an hour ago, and has Alice.
    publish.fail();
    assert_eq!(job.output().await.kept, only([BOB]));
}

#[tokio::test(start_paused = true)]
async fn history_25_a_worker_whose_clock_is_off_takes_no_events() {
    let world = World::new();
    let late = world.start_ahead(-2 * 3_600_000);
    late.ready().await;
    let records = world.stream.len();
    let event = late.opt_out(&world, ALICE);
    let_pass(A_WHILE).await;
    assert!(
        !event.is_acked() && world.stream.len() == records,
        "two hours behind, it would date her wrongly"
    );
    drop(late);
    world.started().await.again(&world, &event).done().await;
}

#[tokio::test(start_paused = true)]
async fn history_26_a_worker_that_lacks_a_key_neither_filters_nor_applies() {
    let world = World::new();
    let w0 = world.started().await;
    let key = entry(Record::KeyAdded { key: FOREIGN_KEY });
    let added = world.stream.push(&key);
    let_pass(A_WHILE).await;
    assert_eq!(world.redis.position(0), added + 1, "from here on the key is needed");
    let (event, job) = (w0.opt_out(&world, ALICE), w0.job(&world, &[BOB]));
    let_pass(A_WHILE).await;
    assert!(
        w0.mirrored() == added + 1 && !job.is_out(),
        "the mirror is there, but some of it cannot be found"
    );
    assert!(world.redis.position(0) == added + 1 && !event.is_acked());
}

#[tokio::test(start_paused = true)]
async fn history_26_a_key_that_was_retired_further_on_in_the_ledger_is_not_lacking() {
    let world = World::new();
    let w0 = world.started().await;
    let added = world.stream.push(&entry(Record::KeyAdded { key: FOREIGN_KEY }));
    let_pass(A_WHILE).await;
    let of = KEYS.keys().iter().map(HashKey::check).chain([FOREIGN_KEY]).collect();
    let retired = world.stream.push(&entry(Record::KeyRetired { key: FOREIGN_KEY, of }));
    let_pass(A_WHILE).await;
    assert_eq!(world.redis.position(0), added + 1, "who lacks a key applies nothing");
    let w1 = world.started().await;
    assert!(world.redis.position(0) > retired, "a list that is not proven may be behind the retirement");
    w1.opt_out(&world, ALICE).done().await;
    w0.opt_out(&world, BOB).done().await;
    assert_eq!(w1.job(&world, &[ALICE, BOB, CAROL]).output().await.kept, only([CAROL]));
}

/// Who starts during an upgrade meets a list that others keep: its fence comes in through them.
#[tokio::test(start_paused = true)]
async fn a_worker_of_another_version_filters_and_does_not_apply() {
    let world = World::new();
    let old = world.started().await;
    old.opt_out(&world, ALICE).done().await;
    let new = world.start_as(&Setup { newer: 1, ..Setup::default() });
    assert_eq!(new.job(&world, &[ALICE, BOB]).output().await.kept, only([BOB]));
    let event = new.opt_out(&world, BOB);
    let_pass(A_WHILE).await;
    assert!(
        !event.is_acked() && !world.has(BOB),
        "what it would write may be nothing that the others can read"
    );
    drop((old, new));
    world.redis.flush(0);
    let new = world.start_as(&Setup { newer: 1, ..Setup::default() });
    new.again(&world, &event).done().await;
    assert_eq!(
        new.job(&world, &[ALICE, BOB, CAROL]).output().await.kept,
        only([CAROL]),
        "the list is its own now"
    );
}
