//! Campaigns in parts: one report each, whatever breaks between a part's output and its acknowledgement.

use std::time::Duration;

use suppressd::domain::record::CampaignKey;
use suppressd::service::message::Outgoing;
use suppressd::service::ports::Campaigns;

use super::{ALICE, BOB, CAROL};
use crate::fakes::outside::let_pass;
use crate::fakes::steps::{Call, Step};
use crate::world::{A_WHILE, World};

const REPORT: &str = "report.campaign";

/// Within which a claim that nobody renews has not ended yet.
const A_MOMENT: Duration = Duration::from_secs(5);

/// The reports of campaigns as they were published.
fn reports(world: &World) -> Vec<Outgoing> {
    world.mail.all().into_iter().filter(|message| message.routing_key == REPORT).collect()
}

/// How often the output of each job is out.
fn outputs(world: &World) -> usize {
    world.mail.all().iter().filter(|message| message.exchange == "filtered").count()
}

#[tokio::test(start_paused = true)]
async fn a_campaign_whose_parts_come_backwards_to_two_workers_is_reported_once() {
    let world = World::new();
    let (w0, w1) = (world.started().await, world.started().await);
    w0.opt_out(&world, ALICE).done().await;
    for (worker, index) in [(&w0, 3), (&w1, 1), (&w0, 2)] {
        worker.part(&world, &[ALICE, BOB], (index, 4)).done().await;
    }
    w0.job(&world, &[BOB]).done().await;
    assert!(reports(&world).is_empty(), "a part is missing, and a job without a part is none");
    w1.part(&world, &[CAROL], (0, 4)).done().await;
    let report = &world.told(REPORT)[0];
    assert_eq!((&report["parts"], &report["revision"]), (&4.into(), &1.into()));
    let sums = &report["segments"][0];
    let counted = (&sums["received"], &sums["kept"], &sums["removed"]["opt_out"]);
    assert_eq!(counted, (&7.into(), &4.into(), &3.into()));
    let_pass(A_WHILE).await;
    assert_eq!(reports(&world).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_dies_before_it_reports_is_replaced_when_its_claim_ends() {
    let world = World::new();
    let (w0, w1) = (world.started().await, world.started().await);
    let mut claimed = w0.steps.hold(Step::Answered(Call::Campaign));
    let part = w0.part(&world, &[ALICE], (0, 1));
    claimed.reached().await;
    drop(w0);
    let mut again = w1.again(&world, &part);
    let_pass(A_MOMENT).await;
    assert!(!again.is_acked() && reports(&world).is_empty(), "it may yet be published");
    again.done().await;
    assert_eq!(reports(&world).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_dies_before_it_says_that_it_reported_leaves_a_copy_with_the_same_name() {
    let world = World::new();
    let (w0, w1) = (world.started().await, world.started().await);
    let mut published = w0.steps.hold(Step::Before(Call::Reported));
    let part = w0.part(&world, &[ALICE], (0, 1));
    published.reached().await;
    assert_eq!(reports(&world).len(), 1);
    assert!(!part.is_acked(), "it is not known to everybody yet");
    drop(w0);
    w1.again(&world, &part).done().await;
    let [one, copy] = &reports(&world)[..] else { panic!("two copies") };
    assert_eq!(one.properties.message_id, copy.properties.message_id);
    assert!(one.properties.message_id.is_some() && one.body == copy.body);
}

#[tokio::test(start_paused = true)]
async fn what_is_reported_is_not_reported_again() {
    let world = World::new();
    let (w0, w1) = (world.started().await, world.started().await);
    let mut told = w0.steps.hold(Step::After(Call::Reported));
    let part = w0.part(&world, &[ALICE], (0, 1));
    told.reached().await;
    drop(w0);
    w1.again(&world, &part).done().await;
    w1.again(&world, &part).done().await;
    assert_eq!(reports(&world).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn while_one_worker_waits_for_rabbitmq_no_other_publishes_its_report() {
    let world = World::new();
    let (w0, w1) = (world.started().await, world.started().await);
    let mut claimed = w0.steps.hold(Step::Answered(Call::Campaign));
    let mut part = w0.part(&world, &[ALICE], (0, 1));
    claimed.reached().await;
    let mut publish = w0.steps.hold(Step::Before(Call::Publish));
    claimed.go();
    publish.reached().await;
    let mut again = w1.again(&world, &part);
    let_pass(A_WHILE).await;
    assert!(!again.is_acked() && reports(&world).is_empty(), "the claim is renewed");
    publish.go();
    part.done().await;
    again.done().await;
    assert_eq!(reports(&world).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_part_is_written_down_before_its_delivery_is_settled_and_its_output_is_out_once() {
    let world = World::new();
    let worker = world.started().await;
    let mut record = worker.steps.hold(Step::Before(Call::Part));
    let mut part = worker.part(&world, &[ALICE], (0, 1));
    record.reached().await;
    let_pass(A_WHILE).await;
    assert!(part.is_out() && !part.is_acked());
    assert_eq!(world.told("report.job").len(), 1, "one does not wait for the other");
    worker.steps.fail(Step::Before(Call::Part));
    worker.steps.fail(Step::After(Call::Part));
    worker.steps.fail(Step::Before(Call::Campaign));
    worker.steps.fail(Step::After(Call::Reported));
    record.fail();
    part.done().await;
    assert_eq!((outputs(&world), reports(&world).len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_report_that_rabbitmq_does_not_confirm_is_published_again_with_the_same_name() {
    let world = World::new();
    let worker = world.started().await;
    let mut claimed = worker.steps.hold(Step::Answered(Call::Campaign));
    let mut part = worker.part(&world, &[ALICE], (0, 1));
    claimed.reached().await;
    worker.steps.fail(Step::Before(Call::Publish));
    worker.steps.fail(Step::After(Call::Publish));
    claimed.go();
    part.done().await;
    let reports = reports(&world);
    assert_eq!(reports.len(), 2, "one without an answer, one that is confirmed");
    assert!(reports.iter().all(|report| report.properties.message_id == reports[0].properties.message_id));
}

#[tokio::test(start_paused = true)]
async fn after_a_loss_of_redis_the_parts_from_before_are_missing() {
    let world = World::new();
    let worker = world.started().await;
    let mut first = worker.part(&world, &[ALICE], (0, 2));
    first.done().await;
    world.redis.change(0, |node| node.data.campaigns.clear());
    worker.part(&world, &[BOB], (1, 2)).done().await;
    assert!(reports(&world).is_empty());
    let known = worker.redis.campaign(CampaignKey::of("c")).await.unwrap().unwrap();
    assert_eq!(known.missing(), [0..=0]);
    worker.again(&world, &first).done().await;
    assert_eq!(reports(&world).len(), 1, "its job published once more completes it");
}

#[tokio::test(start_paused = true)]
async fn a_campaign_that_redis_loses_while_it_is_reported_begins_anew() {
    let world = World::new();
    let worker = world.started().await;
    worker.part(&world, &[ALICE], (0, 2)).done().await;
    let mut read = worker.steps.hold(Step::Before(Call::Campaign));
    let mut last = worker.part(&world, &[BOB], (1, 2));
    read.reached().await;
    world.redis.change(0, |node| node.data.campaigns.clear());
    read.go();
    last.done().await;
    assert!(reports(&world).is_empty(), "half of it is not reported as the whole");
}

#[tokio::test(start_paused = true)]
async fn another_job_in_the_place_of_a_part_changes_nothing() {
    let world = World::new();
    let worker = world.started().await;
    worker.part(&world, &[ALICE, BOB], (0, 2)).done().await;
    worker.part(&world, &[CAROL], (0, 2)).done().await;
    worker.part(&world, &[CAROL], (1, 3)).done().await;
    worker.part(&world, &[CAROL], (1, 2)).done().await;
    worker.part(&world, &[CAROL], (1, 2)).done().await;
    let [report] = &world.told(REPORT)[..] else { panic!("one report") };
    assert_eq!((&report["parts"], &report["segments"][0]["received"]), (&2.into(), &3.into()));
    let known = worker.redis.campaign(CampaignKey::of("c")).await.unwrap().unwrap();
    assert_eq!(known.head.conflicts, 3);
}
