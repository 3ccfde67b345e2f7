//! The kinds of fault, how each begins and how it ends.

use std::sync::Arc;
use std::time::Duration;

use lapin::options::QueueBindOptions;
use lapin::types::FieldTable;
use serde_json::json;

use crate::faults::random::Random;
use crate::faults::scene::Scene;
use crate::support::{Proxy, Way, lasting};

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Breakage {
    Killed,
    Ended,
    EndedTwice,
    Stopped,
    BrokerCut,
    BrokerRefuses,
    BrokerHeld,
    BrokerHears,
    BrokerHeard,
    BrokerFrozen,
    BrokerKilled,
    BrokerMemory,
    BrokerDisk,
    OutputsRefused,
    OutputsUnbound,
    RedisCut,
    RedisRefuses,
    RedisHeld,
    RedisHears,
    RedisHeard,
    RedisFrozen,
    RedisKilled,
    RedisFlushed,
    RedisOld,
    RedisReadOnly,
    RedisFull,
    RedisMayEvict,
    Slow,
}

use Breakage as B;

impl Breakage {
    /// Every kind.
    pub(super) const ALL: &[Self] = &[
        B::Killed,
        B::Ended,
        B::EndedTwice,
        B::Stopped,
        B::BrokerCut,
        B::BrokerRefuses,
        B::BrokerHeld,
        B::BrokerHears,
        B::BrokerHeard,
        B::BrokerFrozen,
        B::BrokerKilled,
        B::BrokerMemory,
        B::BrokerDisk,
        B::OutputsRefused,
        B::OutputsUnbound,
        B::RedisCut,
        B::RedisRefuses,
        B::RedisHeld,
        B::RedisHears,
        B::RedisHeard,
        B::RedisFrozen,
        B::RedisKilled,
        B::RedisFlushed,
        B::RedisOld,
        B::RedisReadOnly,
        B::RedisFull,
        B::RedisMayEvict,
        B::Slow,
    ];

    /// What it is called in the table.
    pub(super) fn name(self) -> &'static str {
        match self {
            B::Killed => "worker killed (SIGKILL)",
            B::Ended => "worker ended (SIGTERM)",
            B::EndedTwice => "worker ended (SIGTERM twice)",
            B::Stopped => "worker stopped for seconds (SIGSTOP)",
            B::BrokerCut => "connections to RabbitMQ cut",
            B::BrokerRefuses => "RabbitMQ refuses connections",
            B::BrokerHeld => "network to RabbitMQ stands still",
            B::BrokerHears => "half-open: RabbitMQ hears nothing",
            B::BrokerHeard => "half-open: RabbitMQ is not heard",
            B::BrokerFrozen => "RabbitMQ frozen",
            B::BrokerKilled => "RabbitMQ killed and restarted",
            B::BrokerMemory => "RabbitMQ short of memory",
            B::BrokerDisk => "RabbitMQ short of disk",
            B::OutputsRefused => "sender's queue refuses",
            B::OutputsUnbound => "sender's binding removed",
            B::RedisCut => "connections to Redis cut",
            B::RedisRefuses => "Redis refuses connections",
            B::RedisHeld => "network to Redis stands still",
            B::RedisHears => "half-open: Redis hears nothing",
            B::RedisHeard => "half-open: Redis is not heard",
            B::RedisFrozen => "Redis frozen for 10 s",
            B::RedisKilled => "Redis killed and restarted",
            B::RedisFlushed => "Redis emptied",
            B::RedisOld => "Redis put back to an old backup",
            B::RedisReadOnly => "Redis read-only",
            B::RedisFull => "Redis full",
            B::RedisMayEvict => "Redis may evict",
            B::Slow => "everything slow",
        }
    }

    /// Whether it is over soon and harms nobody but this scene.
    pub(super) fn is_gentle(self) -> bool {
        let rough = [
            B::BrokerHears,
            B::BrokerHeard,
            B::BrokerFrozen,
            B::BrokerKilled,
            B::BrokerMemory,
            B::BrokerDisk,
            B::RedisFrozen,
        ];
        !rough.contains(&self)
    }

    /// Begins it, and returns at its end.
    pub(super) async fn inflict(self, scene: &mut Scene, random: &mut Random) {
        let while_it_lasts = Duration::from_millis((1_000 + random.below(3_000)).into());
        match self {
            B::Killed | B::Ended | B::EndedTwice | B::Stopped => {
                self.befall_a_worker(scene, random, while_it_lasts).await;
            }
            B::BrokerCut => scene.amqp.cut(),
            B::BrokerRefuses => refuse(&scene.amqp, while_it_lasts).await,
            B::BrokerHeld => hold(&scene.amqp, while_it_lasts).await,
            B::BrokerHears => scene.amqp.half_open(Way::ToServer),
            B::BrokerHeard => scene.amqp.half_open(Way::FromServer),
            B::BrokerFrozen | B::BrokerKilled | B::BrokerMemory | B::BrokerDisk => {
                self.befall_the_broker(scene, while_it_lasts).await;
            }
            B::OutputsRefused => refuse_outputs(scene, while_it_lasts).await,
            B::OutputsUnbound => unbind_outputs(scene, while_it_lasts).await,
            B::RedisCut => scene.redis.cut(),
            B::RedisRefuses => refuse(&scene.redis, while_it_lasts).await,
            B::RedisHeld => hold(&scene.redis, while_it_lasts).await,
            B::RedisHears => scene.redis.half_open(Way::ToServer),
            B::RedisHeard => scene.redis.half_open(Way::FromServer),
            B::Slow => {
                for proxy in [&scene.amqp, &scene.redis] {
                    proxy.slow(Duration::from_millis(20), 8 * 1024);
                }
                lasting(while_it_lasts).await;
                scene.amqp.open();
                scene.redis.open();
            }
            _ => self.befall_redis(scene, while_it_lasts).await,
        }
    }

    async fn befall_a_worker(self, scene: &mut Scene, random: &mut Random, while_it_lasts: Duration) {
        let (victim, name) = [(0, "w1"), (1, "w2")][random.below(2) as usize];
        let worker = &scene.workers[victim];
        match self {
            B::Killed => worker.kill9(),
            B::Stopped => {
                worker.freeze();
                lasting(while_it_lasts).await;
                return worker.thaw();
            }
            _ => {
                worker.sigterm();
                if self == B::EndedTwice {
                    worker.sigterm();
                }
                worker.exit_code().await;
            }
        }
        scene.workers[victim] = scene.stage.start(name);
    }

    async fn befall_the_broker(self, scene: &Scene, while_it_lasts: Duration) {
        let broker = scene.stage.vhost.broker();
        let (begins, ends) = match self {
            B::BrokerMemory => (
                &["set_vm_memory_high_watermark", "absolute", "1000"][..],
                &["set_vm_memory_high_watermark", "absolute", "1GiB"][..],
            ),
            B::BrokerDisk => (&["set_disk_free_limit", "9000GB"][..], &["set_disk_free_limit", "50MB"][..]),
            B::BrokerFrozen => {
                broker.freeze();
                lasting(while_it_lasts * 2).await;
                return broker.thaw();
            }
            _ => {
                let broker = Arc::clone(broker);
                let restart = move || {
                    broker.kill9();
                    broker.start_again();
                };
                return tokio::task::spawn_blocking(restart).await.expect("it starts again");
            }
        };
        broker.control(begins).await;
        lasting(while_it_lasts).await;
        broker.control(ends).await;
    }

    async fn befall_redis(self, scene: &Scene, while_it_lasts: Duration) {
        let redis = &scene.stage.redis;
        let (begins, ends) = match self {
            B::RedisReadOnly => ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
            B::RedisFull => ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
            B::RedisMayEvict => {
                ("CONFIG SET maxmemory-policy allkeys-lru", "CONFIG SET maxmemory-policy noeviction")
            }
            B::RedisFlushed => {
                redis.run("FLUSHALL").await;
                return;
            }
            B::RedisFrozen => {
                redis.freeze();
                lasting(Duration::from_secs(10)).await;
                return redis.thaw();
            }
            B::RedisOld => {
                redis.back_up("old");
                lasting(while_it_lasts).await;
                return redis.restore("old");
            }
            _ => {
                redis.kill9();
                lasting(while_it_lasts).await;
                return redis.start_again();
            }
        };
        redis.run(begins).await;
        lasting(while_it_lasts).await;
        redis.run(ends).await;
    }
}

async fn refuse(proxy: &Proxy, while_it_lasts: Duration) {
    proxy.refuse();
    lasting(while_it_lasts).await;
    proxy.open();
}

async fn hold(proxy: &Proxy, while_it_lasts: Duration) {
    proxy.hold(Way::ToServer);
    proxy.hold(Way::FromServer);
    lasting(while_it_lasts).await;
    proxy.open();
}

/// The sender's queue takes nothing. Who takes from it goes on.
async fn refuse_outputs(scene: &Scene, while_it_lasts: Duration) {
    let full = json!({"max-length": 0, "overflow": "reject-publish"});
    scene.stage.vhost.policy("full", "^sender\\.sms$", &full);
    lasting(while_it_lasts).await;
    scene.stage.vhost.lift_policy("full");
}

async fn unbind_outputs(scene: &Scene, while_it_lasts: Duration) {
    let channel = scene.stage.connect("guest").await.channel().await;
    let none = FieldTable::default;
    let (queue, exchange, key) = ("sender.sms", "suppressd.filtered", "sms.#");
    let unbound = channel.queue_unbind(queue.into(), exchange.into(), key.into(), none()).await;
    unbound.expect("RabbitMQ unbinds it");
    lasting(while_it_lasts).await;
    let options = QueueBindOptions::default();
    let bound = channel.queue_bind(queue.into(), exchange.into(), key.into(), options, none()).await;
    bound.expect("RabbitMQ binds it");
}
