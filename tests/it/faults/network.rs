//! The network between a worker and its servers: cut, slow, standing still, and half gone without a word.
//!
//! The last is the hard one: a connection on which only one side is still heard looks whole to the other.

use std::time::Duration;

use super::scene::Scene;
use crate::support::{Way, lasting};

#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_that_hears_nothing_of_a_worker_any_more_is_met_anew() {
    let scene = Scene::new(1, 20).await;
    scene.amqp.half_open(Way::ToServer);
    scene.recovers("RabbitMQ does not hear").await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_that_is_not_heard_by_a_worker_any_more_is_met_anew() {
    let scene = Scene::new(1, 21).await;
    scene.amqp.half_open(Way::FromServer);
    scene.recovers("RabbitMQ is not heard").await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_that_hears_nothing_or_is_not_heard_is_met_anew() {
    let scene = Scene::new(1, 22).await;
    scene.redis.half_open(Way::ToServer);
    scene.recovers("Redis does not hear").await;
    scene.redis.half_open(Way::FromServer);
    scene.recovers("Redis is not heard").await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_cut_and_refused_are_made_again() {
    let scene = Scene::new(2, 23).await;
    for _ in 0..2 {
        scene.amqp.cut();
        scene.recovers("connections to RabbitMQ cut").await;
        scene.redis.cut();
        scene.recovers("connections to Redis cut").await;
    }
    for proxy in [&scene.amqp, &scene.redis] {
        proxy.refuse();
        lasting(Duration::from_secs(3)).await;
        proxy.open();
        scene.recovers("connections refused").await;
    }
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_stands_still_and_then_delivers_everything_late_leaks_nobody() {
    let scene = Scene::new(2, 24).await;
    for proxy in [&scene.amqp, &scene.redis] {
        for way in [Way::ToServer, Way::FromServer] {
            proxy.hold(way);
            lasting(Duration::from_secs(3)).await;
            proxy.open();
            scene.recovers("held").await;
        }
    }
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_network_makes_everything_slow_and_nothing_wrong() {
    let scene = Scene::new(2, 25).await;
    for proxy in [&scene.amqp, &scene.redis] {
        proxy.slow(Duration::from_millis(20), 8 * 1024);
    }
    scene.flow.every_lane(super::flow::RECOVERY).await;
    lasting(Duration::from_secs(5)).await;
    scene.flow.every_lane(super::flow::RECOVERY).await;
    scene.amqp.open();
    scene.redis.open();
    scene.recovers("slow").await;
    scene.end().await;
}
