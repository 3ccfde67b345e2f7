//! Redis is emptied, or the list is made anew beside it.

use std::sync::Arc;

use suppressd::domain::fold::Head;
use suppressd::domain::record::{Entry, ListId};
use suppressd::service::apply_ledger::fold_onto;
use suppressd::service::ports::List;
use suppressd::service::random;

use super::{ALICE, BOB, only};
use crate::fakes::outside::let_pass;
use crate::fakes::redis_link::RedisLink;
use crate::fakes::steps::{Call, Step};
use crate::world::{A_WHILE, World};

#[tokio::test(start_paused = true)]
async fn history_4_a_list_that_another_worker_created_empty_is_not_trusted() {
    let world = World::new();
    let (w0, w1) = (world.started().await, world.started().await);
    w0.opt_out(&world, ALICE).done().await;
    let before = w1.glance().identity.unwrap();
    for worker in [&w0, &w1] {
        worker.broker.sees_until(1);
    }
    let mut barrier = w1.steps.hold(Step::Before(Call::Barrier));
    barrier.reached().await;
    world.redis.flush(0);
    let_pass(A_WHILE).await;
    assert!(world.redis.head(0).is_some(), "W0 created a list; W1 never saw that there was none");
    barrier.go();
    let job = w1.job(&world, &[ALICE, BOB]);
    let_pass(A_WHILE).await;
    let glance = w1.glance();
    let now = glance.identity.unwrap();
    assert!(
        now.run_id == before.run_id && now.replid == before.replid,
        "nothing but the list's name changed"
    );
    assert_ne!(now.list, before.list);
    assert!(world.redis.position(0) <= 1, "it begins at the ledger's beginning");
    assert!(!world.has(ALICE) && glance.reachable && !job.is_out());
    for worker in [&w0, &w1] {
        worker.broker.sees_until(u64::MAX);
    }
    assert_eq!(job.output().await.kept, only([BOB]));
}

#[tokio::test(start_paused = true)]
async fn history_11_a_fence_of_the_replaced_list_does_not_vouch_for_the_rebuilt_one() {
    let world = World::new();
    let (w0, w1) = (world.started().await, world.started().await);
    w0.opt_out(&world, ALICE).done().await;
    let (old, fences) = (w1.glance().identity.unwrap(), world.stream.fences_of(w1.id));
    let mut rebuild = Rebuild::begin(&world).await;
    rebuild.apply_until(&world, 1).await;
    assert!(rebuild.promote(&world).is_err(), "what is not as far may not take the serving list's place");
    assert!(world.has(ALICE), "which is not emptied meanwhile");
    rebuild.apply_until(&world, world.stream.len()).await;
    rebuild.promote(&world).expect("it is as far");
    let fenced = world.redis.change(0, |node| node.data.serving_list().unwrap().fences.contains_key(&w1.id));
    assert!(fenced, "the old fence is in the rebuilt list too");
    let job = w1.job(&world, &[ALICE, BOB]);
    assert_eq!(job.output().await.kept, only([BOB]));
    assert_ne!(w1.glance().identity.unwrap().list, old.list);
    assert!(world.stream.fences_of(w1.id) > fences, "a new one was needed");
}

#[tokio::test(start_paused = true)]
async fn history_17_two_workers_that_create_the_list_agree_on_one() {
    let world = World::new();
    let (w0, w1) = (world.start(), world.start());
    let creates = [&w0, &w1].map(|worker| worker.steps.hold(Step::Before(Call::Create)));
    for mut create in creates {
        create.reached().await;
        create.go();
    }
    w0.ready().await;
    w1.ready().await;
    let lists = [&w0, &w1].map(|worker| worker.glance().identity.unwrap().list);
    assert_eq!(lists, [world.redis.head(0).unwrap().list; 2]);
    w0.opt_out(&world, ALICE).done().await;
    assert_eq!(w1.job(&world, &[ALICE, BOB]).output().await.kept, only([BOB]));
}

/// What `suppressd rebuild` does, in steps.
struct Rebuild {
    list: Arc<RedisLink>,
    name: ListId,
    head: Head,
}

impl Rebuild {
    async fn begin(world: &World) -> Self {
        let name = random::list_id();
        let list = Arc::new(RedisLink::aside(world.redis.clone(), world.clock, name));
        assert!(list.create(name).await.unwrap());
        Self { list, name, head: Head::new(name) }
    }

    async fn apply_until(&mut self, world: &World, position: u64) {
        let entries = world.stream.entries();
        let batch = usize::try_from(self.head.position).unwrap()..usize::try_from(position).unwrap();
        let batch: Vec<&Entry> = entries[batch].iter().collect();
        let folded = fold_onto(&*self.list, self.head.clone(), &batch).await.unwrap();
        assert!(self.list.apply(&self.head, &folded).await.unwrap());
        self.head = folded.head;
    }

    fn promote(&self, world: &World) -> Result<(), u64> {
        world.redis.change(0, |node| node.data.promote(self.name))
    }
}
