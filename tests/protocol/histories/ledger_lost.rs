//! The broker lost confirmed records, or has another stream under the ledger's name.

use suppressd::domain::record::Record;

use super::{ALICE, BOB, CAROL, only};
use crate::fakes::outside::let_pass;
use crate::world::{A_WHILE, World, entry, filler, genesis, ledger_of};

#[tokio::test(start_paused = true)]
async fn history_15_nothing_is_acknowledged_on_a_ledger_that_lost_its_last_records() {
    let world = World::new();
    let w0 = world.started().await;
    let alices = world.stream.len();
    w0.opt_out(&world, ALICE).done().await;
    world.stream.lose_from(alices);
    let_pass(A_WHILE).await;
    assert!(w0.ledger_state.borrow().lost, "a reader beyond the end hears nothing; that is noticed");
    let bob = w0.opt_out(&world, BOB);
    let_pass(A_WHILE).await;
    assert_eq!(world.stream.len(), alices, "it would get the offset that the list counts as applied");
    assert!(world.redis.position(0) > alices && !bob.is_acked());
    assert_eq!(w0.job(&world, &[ALICE, CAROL]).output().await.kept, only([CAROL]), "the list is whole");
}

#[tokio::test(start_paused = true)]
async fn history_15_a_record_in_the_place_of_a_lost_one_is_not_taken_as_applied() {
    let world = World::new();
    let (w0, w1) = (world.started().await, world.started().await);
    let alices = world.stream.len();
    w0.opt_out(&world, ALICE).done().await;
    // W1 has not heard of it yet, and appends at once.
    w1.broker.deafen();
    world.stream.lose_from(alices);
    let bob = w1.opt_out(&world, BOB);
    let_pass(A_WHILE).await;
    assert!(world.stream.len() > alices, "Bob's record has the offset that was Alice's");
    assert!(world.redis.position(0) > alices, "which the list is past");
    assert!(!world.has(BOB) && !bob.is_acked(), "and yet it is not acknowledged");
    assert!(w0.ledger_state.borrow().lost && w1.ledger_state.borrow().lost);
}

#[tokio::test(start_paused = true)]
async fn history_15_the_same_position_after_other_records_is_another_list() {
    let world = World::new();
    let w0 = world.started().await;
    world.redis.save(0);
    let alices = world.stream.len();
    w0.opt_out(&world, ALICE).done().await;
    // The power fails for both servers, and Alice is lost to both: that cannot be healed. What may not happen is
    // that a mirror which still has her is taken for what the list is by then.
    world.stream.lose_from(alices);
    world.stream.push(&filler());
    world.redis.restart(0);
    w0.opt_out(&world, BOB).done().await;
    let output = w0.job(&world, &[BOB, CAROL]).output().await;
    assert_eq!(output.kept, only([CAROL]));
    let_pass(A_WHILE).await;
    assert_eq!(w0.mirror.shown().borrow().restricted, 1, "the mirror has the list as it is: Bob alone");
}

#[tokio::test(start_paused = true)]
async fn history_15_another_stream_under_the_ledgers_name_is_not_applied() {
    let world = World::new();
    let w0 = world.started().await;
    w0.opt_out(&world, ALICE).done().await;
    let before = world.redis.head(0).unwrap();
    let other = genesis();
    assert_ne!(before.ledger, Some(ledger_of(&other)));
    world.stream.replace(&other);
    for _ in 0..10 {
        world.stream.push(&filler());
    }
    let event = w0.opt_out(&world, BOB);
    let_pass(A_WHILE).await;
    assert!(w0.ledger_state.borrow().lost && !event.is_acked());
    assert_eq!(world.redis.head(0).unwrap(), before, "nothing of it came into the list");
}

#[tokio::test(start_paused = true)]
async fn history_15_what_the_list_has_is_given_back_to_the_ledger() {
    let world = World::new();
    let w0 = world.started().await;
    w0.opt_out(&world, ALICE).done().await;
    let people: Vec<_> = world.redis.content(0).1.into_iter().collect();
    world.stream.replace(&genesis());
    world.stream.push(&entry(Record::Restored { people, requests: vec![] }));
    let mut event = w0.opt_out(&world, BOB);
    let_pass(A_WHILE).await;
    assert!(!event.is_acked(), "the serving list is still that of the other ledger");
    world.redis.flush(0);
    event.done().await;
    assert_eq!(w0.job(&world, &[ALICE, BOB, CAROL]).output().await.kept, only([CAROL]));
}
