//! Requests that a person must decide about, and who is told when nobody does.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};
use suppressd::service::clock::Clock;
use suppressd::service::ports::{Page, Requests};

use super::{ALICE, BOB, only};
use crate::fakes::outside::let_pass;
use crate::fakes::requests::CLAIM;
use crate::fakes::steps::{Call, Step};
use crate::world::{A_WHILE, World};

const ALL: Page = Page { until: None, skip: 0, max: 100 };

fn review() -> Value {
    json!({"subject": {"user_id": "U-1"}, "review": "hold", "rule": "unsure.object"})
}

/// A request that was made so long ago that it is due after this, by the clock of its source.
fn due_in(world: &World, left: SignedDuration) -> Value {
    let made = world.clock.now() + left - SignedDuration::from_hours(24);
    let members =
        json!({"source": "email", "occurred_at": made.to_string(), "request_id": "call_center:r-1"});
    let mut review = review();
    review.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    review
}

fn settle(kind: &str) -> Value {
    json!({"kind": kind, "request_id": "call_center:r-1", "occurred_at": "2026-11-18T00:00:00Z"})
}

fn urgencies(world: &World) -> Vec<Value> {
    world.told("alarm.deadline").iter().map(|alarm| alarm["urgency"].clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_request_holds_its_person_until_it_is_dismissed_and_for_good_once_it_is_applied() {
    for (kind, kept) in [("dismiss", only([ALICE, BOB])), ("apply", only([BOB]))] {
        let world = World::new();
        let (w0, w1) = (world.started().await, world.started().await);
        w0.event(&world, "r-1", &review()).done().await;
        assert_eq!(w1.job(&world, &[ALICE, BOB]).output().await.kept, only([BOB]));
        assert_eq!(world.told("review.opened").len(), 1);
        w1.event(&world, "s-1", &settle(kind)).done().await;
        assert_eq!(w0.job(&world, &[ALICE, BOB]).output().await.kept, kept, "{kind}");
        assert!(w0.redis.in_review(ALL).await.unwrap().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn each_alarm_of_a_deadline_is_raised_once_whoever_looks() {
    let world = World::new();
    let workers = [world.started().await, world.started().await, world.started().await];
    let (a_little, soon) = (SignedDuration::from_secs(20), SignedDuration::from_hours(4));
    workers[0].event(&world, "r-1", &due_in(&world, soon + a_little)).done().await;
    let_pass(Duration::from_secs(15)).await;
    assert_eq!(urgencies(&world), Vec::<Value>::new());
    let_pass(Duration::from_secs(15)).await;
    assert_eq!(urgencies(&world), ["soon"]);
    let other = json!({"request_id": "CRM-88"});
    let mut review = due_in(&world, a_little);
    review.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    workers[1].event(&world, "r-2", &review).done().await;
    let_pass(A_WHILE).await;
    assert_eq!(urgencies(&world), ["soon", "soon", "overdue"]);
    let late = world.started().await;
    let_pass(A_WHILE).await;
    assert_eq!(urgencies(&world).len(), 3, "a worker that comes later has nothing to add");
    let apply = json!({"kind": "apply", "request_id": "CRM-88", "occurred_at": "2026-11-18T00:00:00Z"});
    late.event(&world, "s-1", &apply).done().await;
    let_pass(A_WHILE).await;
    assert_eq!(urgencies(&world), ["soon", "soon", "overdue", "late"]);
    let receipt = world.told("receipt.call_center").pop().unwrap();
    let alarm = world.told("alarm.deadline").pop().unwrap();
    assert_eq!((&receipt["status"], &receipt["late"]), (&json!("applied"), &json!(true)));
    assert_eq!((&alarm["request_id"], &alarm["due_at"]), (&receipt["request_id"], &receipt["due_at"]));
}

#[tokio::test(start_paused = true)]
async fn an_alarm_whose_worker_ends_before_it_is_out_is_raised_by_another() {
    let world = World::new();
    let (w0, w1) = (world.started().await, world.started().await);
    w0.event(&world, "r-1", &due_in(&world, SignedDuration::from_hours(1))).done().await;
    let mut claims = [&w0, &w1].map(|worker| worker.steps.hold(Step::Before(Call::Alarm)));
    for claim in &mut claims {
        claim.reached().await;
    }
    let [first, second] = claims;
    let mut publish = w0.steps.hold(Step::Before(Call::Publish));
    first.go();
    publish.reached().await;
    drop(w0);
    second.go();
    let_pass(CLAIM / 2).await;
    assert_eq!(urgencies(&world), Vec::<Value>::new(), "somebody claimed it");
    drop(publish);
    let_pass(CLAIM).await;
    assert_eq!(urgencies(&world), ["soon"]);
}

#[tokio::test(start_paused = true)]
async fn an_emptied_redis_has_the_same_requests_with_the_same_dates_again() {
    let world = World::new();
    let worker = world.started().await;
    worker.event(&world, "r-1", &review()).done().await;
    worker
        .event(&world, "r-2", &json!({"subject": {"phone": "CANARY"}, "request_id": "CRM-88"}))
        .done()
        .await;
    worker.event(&world, "r-3", &review()).done().await;
    let dismiss = json!({"kind": "dismiss", "request_id": "call_center:r-3"});
    worker.event(&world, "s-1", &dismiss).done().await;
    let (before, content) = (worker.redis.in_review(ALL).await.unwrap(), world.redis.content(0));
    assert_eq!(before.len(), 2);
    let_pass(A_WHILE).await;
    world.redis.flush(0);
    let_pass(A_WHILE).await;
    assert_eq!(worker.redis.in_review(ALL).await.unwrap(), before);
    assert_eq!(world.redis.content(0), content);
    assert_eq!(worker.job(&world, &[ALICE, BOB]).output().await.kept, only([BOB]));
}
