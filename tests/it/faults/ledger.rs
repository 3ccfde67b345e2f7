//! The ledger's stream deleted under the workers that read it. Redis still has the list: nothing that was acknowledged
//! is forgotten, nothing is acknowledged that only the lost ledger had, and one command mends it.

use std::time::Duration;

use super::flow::RECOVERY;
use super::scene::Scene;
use crate::support::{LONG, Persistence, SOON, eventually};

const STREAM: &str = "suppressd.ledger";

/// How long nothing may come that must not.
const HELD: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_is_deleted_under_load_is_alarmed_and_a_rebuild_gives_it_back_what_the_list_has() {
    let mut scene = Scene::keeping(Persistence::Always, 41).await;
    scene.stage.vhost.delete_queue(STREAM);
    scene.expect_alarm("ledger_lost").await;
    for worker in &scene.workers {
        worker.wait_not_ready().await;
        eventually("/ready names the loss and the way out", SOON, async || {
            let ready = worker.get("/ready").unwrap().body;
            (ready.contains("the ledger lacks what the list has") && ready.contains("suppressd rebuild"))
                .then_some(())
        })
        .await;
    }

    // The list is whole and proven: jobs go on, and events wait.
    let receipts = scene.flow.receipts();
    scene.flow.everybody(RECOVERY).await;
    scene.is_held_for(HELD).await;
    assert_eq!(scene.flow.receipts(), receipts, "an event is acknowledged without a ledger");

    // A Redis that was restarted cannot be proven without a ledger.
    scene.stage.redis.kill9();
    scene.stage.redis.start_again();
    tokio::select! {
        () = scene.flow.everybody(LONG) => panic!("a job is filtered by a list that is not proven"),
        () = scene.is_held_for(HELD) => {}
    }

    scene.flow.revisions_begin_anew();
    rebuild(&scene);
    scene.recovers("the ledger was deleted, and rebuilt").await;
    scene.flow.everybody(RECOVERY).await;
    scene.end().await;
}

/// What the README tells to do. A worker that stood still when the stream went may have written to the new one before it
/// knew; then the stream is deleted once more.
fn rebuild(scene: &Scene) {
    let mut told = scene.stage.run(&["rebuild"]);
    if told.stderr.contains("first record is no genesis") {
        scene.stage.vhost.delete_queue(STREAM);
        told = scene.stage.run(&["rebuild"]);
    }
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.stderr.contains("identifiers of the list were appended to the ledger"), "{told:?}");
}
