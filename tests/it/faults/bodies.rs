//! Bodies beyond every limit: they end in the dead queue untouched, and their neighbours pass.

use lapin::BasicProperties;
use serde_json::json;

use super::say;
use crate::scene::{Scene, job};
use crate::support::{Broker, LONG, Persistence, Sent, Stage};

const MIB: usize = 1 << 20;

/// What the tests' brokers take by themselves.
const ORDINARY: usize = 128 * MIB;

/// A job that would be right if it were smaller.
fn job_of(bytes: usize) -> Vec<u8> {
    let mut text = job("large", "sms", json!([{"user_id": "U-2", "filling": "-"}])).to_string();
    let filling = "x".repeat(bytes - text.len() + 1);
    text = text.replace("\"-\"", &format!("\"{filling}\""));
    assert_eq!(text.len(), bytes);
    text.into_bytes()
}

/// Publishes a body to both inputs; it is dead, and nobody else is.
async fn is_dead_and_alone(scene: &mut Scene, body: &[u8]) {
    for (exchange, key) in [("suppressd.jobs", "sms.KZ-79"), ("suppressd.opt-outs", "email")] {
        let properties = BasicProperties::default().with_content_type("application/json".into());
        assert_eq!(scene.guest.publish_with(exchange, key, properties, body).await, Sent::Confirmed);
        let (kept, _) = scene.kept("sms", json!([{"user_id": "U-2"}])).await;
        assert_eq!(kept, ["U-2"], "a neighbour passes");
        let letter = scene.dead.next_within(LONG).await.expect("it is in the dead queue");
        assert_eq!(letter.header("x-suppressd-reason").as_deref(), Some("too_large"));
        assert!(letter.body == body, "{} of {} bytes came back", letter.body.len(), body.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_20_mib_is_too_large_and_harms_nobody() {
    let mut scene = Scene::new().await;
    is_dead_and_alone(&mut scene, &job_of(20 * MIB)).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_200_mib_is_too_large_and_harms_nobody() {
    let broker = Broker::rough().await;
    max_message_bytes(&broker, 256 * MIB).await;
    broker.control(&["set_vm_memory_high_watermark", "absolute", "6GiB"]).await;
    let mut scene = Scene::on(Stage::with(&broker, Persistence::EverySecond)).await;
    is_dead_and_alone(&mut scene, &job_of(200 * MIB)).await;
    let peak = super::memory::memory(scene.worker.pid(), "VmHWM");
    say(format_args!("200 MiB: {} MiB at most", peak / MIB));
    max_message_bytes(&broker, ORDINARY).await;
    broker.control(&["set_vm_memory_high_watermark", "absolute", "1GiB"]).await;
    scene.end().await;
}

/// What a broker takes, for channels that are opened from now on.
async fn max_message_bytes(broker: &Broker, bytes: usize) {
    let set = format!(
        "application:set_env(rabbit, max_message_size, {bytes}), persistent_term:put(max_message_size, {bytes})."
    );
    broker.control(&["eval", &set]).await;
}
