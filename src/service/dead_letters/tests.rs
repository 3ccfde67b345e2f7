//! The dead queue and the broker in memory: what is moved, what stays, and what is never lost in between.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::*;
use crate::service::envelope::{Grounds, dead_letter};
use crate::service::message::Properties;

/// What is gone from the queue, and what was published, in their order.
#[derive(Default)]
struct World {
    gone: Vec<usize>,
    published: Vec<Outgoing>,
    /// What RabbitMQ answers next; `Confirmed` when there is nothing.
    answers: VecDeque<Result<Delivered, BrokerFault>>,
    session_is_gone: bool,
}

type Shared = Arc<Mutex<World>>;

struct Queue {
    letters: VecDeque<(usize, Properties, Vec<u8>)>,
    count: u64,
    world: Shared,
    /// Those that are not UTF-8.
    illegible: BTreeSet<usize>,
}

struct Taker(usize, Shared);

#[async_trait]
impl Acker for Taker {
    async fn ack(self: Box<Self>) -> bool {
        let mut world = self.1.lock().unwrap();
        if !world.session_is_gone {
            world.gone.push(self.0);
        }
        !world.session_is_gone
    }
}

#[async_trait]
impl DeadQueue for Queue {
    fn count(&self) -> u64 {
        self.count
    }

    async fn next(&mut self) -> Result<Option<Buried>, DeadFault> {
        let next = self.letters.pop_front();
        Ok(next.map(|(number, properties, body)| Buried {
            as_published: !self.illegible.contains(&number),
            routing_key: "sms.KZ-79".into(),
            properties,
            body,
            acker: Box::new(Taker(number, self.world.clone())),
        }))
    }

    async fn settled(&mut self) -> Result<(), DeadFault> {
        Ok(())
    }
}

struct Out(Shared);

#[async_trait]
impl Outbox for Out {
    async fn publish(&self, message: &Outgoing) -> Result<Delivered, BrokerFault> {
        let mut world = self.0.lock().unwrap();
        let answer = world.answers.pop_front().unwrap_or(Ok(Delivered::Confirmed));
        if matches!(answer, Ok(Delivered::Confirmed)) {
            world.published.push(message.clone());
        }
        answer
    }
}

fn addresses() -> Addresses {
    let name = |name: &str| format!("s.{name}");
    Addresses {
        filtered: name("filtered"),
        events: name("events"),
        dead: name("dead"),
        waiting: name("waiting"),
        jobs: name("jobs"),
        opt_outs: name("opt-outs"),
    }
}

fn letter(reason: DeadReason, queue: &str) -> Properties {
    let grounds = Grounds { reason, detail: "/x: rule", queue, at: "2026-11-22T10:15:00Z" };
    dead_letter(&Properties::default(), &grounds)
}

fn queue(letters: impl IntoIterator<Item = Properties>) -> (Queue, Shared) {
    let world = Shared::default();
    let letters: VecDeque<_> = letters
        .into_iter()
        .enumerate()
        .map(|(number, properties)| (number, properties, number.to_string().into_bytes()))
        .collect();
    let count = letters.len() as u64;
    (Queue { letters, count, world: world.clone(), illegible: BTreeSet::new() }, world)
}

fn everything() -> Selection {
    Selection { ids: BTreeSet::new(), cause: None, max: 100 }
}

/// Does something at the desk of this queue.
async fn at<T>(queue: &mut Queue, work: impl AsyncFnOnce(&mut DeadDesk<'_>) -> T) -> T {
    let key = HashKey::from_file_text(&"0123456789abcdef".repeat(4)).unwrap();
    work(&mut DeadDesk::new(queue, &key, &addresses(), &|_, _| ())).await
}

async fn redrive(queue: &mut Queue, selection: &Selection, world: &Shared) -> Redriven {
    let outbox = Out(world.clone());
    at(queue, async |desk| desk.redrive(selection, &outbox, "own").await).await
}

const THREE: [(DeadReason, &str); 3] = [
    (DeadReason::UnknownRegion, "s.jobs"),
    (DeadReason::BadSchema, "s.opt-outs"),
    (DeadReason::UnknownRegion, "s.jobs"),
];

fn three() -> Vec<Properties> {
    THREE.map(|(reason, queue)| letter(reason, queue)).to_vec()
}

#[tokio::test]
async fn what_is_selected_goes_back_to_the_exchange_it_came_from_and_no_more_than_was_asked_for() {
    let (mut dead, world) = queue(three());
    let done = redrive(&mut dead, &Selection { max: 2, ..everything() }, &world).await;
    assert_eq!((done.moved.len(), done.pass.of), (2, 3));
    {
        let world = world.lock().unwrap();
        assert_eq!(world.gone, [0, 1]);
        let exchanges: Vec<_> = world.published.iter().map(|message| &*message.exchange).collect();
        assert_eq!(exchanges, ["s.jobs", "s.opt-outs"]);
        assert_eq!((&*world.published[1].routing_key, &*world.published[1].body), ("sms.KZ-79", &b"1"[..]));
    }
    let (mut dead, world) = queue(three());
    let cause = Some(Cause::Fault(DeadReason::UnknownRegion));
    let done = redrive(&mut dead, &Selection { cause, ..everything() }, &world).await;
    assert_eq!(done.moved.len(), 2);
    assert_eq!(world.lock().unwrap().gone, [0, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_letter_stays_until_its_original_is_confirmed() {
    let (mut dead, world) = queue(three());
    let lost = || Err(BrokerFault::new("no confirm in time"));
    world.lock().unwrap().answers = [lost(), Ok(Delivered::Returned), lost()].into();
    let done = redrive(&mut dead, &everything(), &world).await;
    assert_eq!(done.moved.len(), 3, "it was tried again");

    let (mut dead, world) = queue(three());
    world.lock().unwrap().answers = std::iter::repeat_with(lost).take(1000).collect();
    let done = redrive(&mut dead, &everything(), &world).await;
    assert!(done.moved.is_empty() && matches!(done.pass.stopped, Some(DeadFault::Broker(_))));
    assert!(world.lock().unwrap().gone.is_empty());
}

#[tokio::test]
async fn what_would_be_lost_or_has_nowhere_to_go_stays_and_the_others_pass() {
    let (mut dead, world) = queue([
        letter(DeadReason::NoIdentifier, "s.opt-outs"),
        letter(DeadReason::BadJson, "of.an.older.prefix"),
        Properties::default(),
        letter(DeadReason::BadJson, "s.jobs"),
        letter(DeadReason::BadJson, "s.jobs"),
    ]);
    world.lock().unwrap().answers = [Ok(Delivered::TooLarge)].into();
    let done = redrive(&mut dead, &everything(), &world).await;
    assert_eq!((done.stayed.len(), done.moved.len()), (4, 1));
    assert_eq!(world.lock().unwrap().gone, [4]);
    assert!(done.stayed[0].1.contains("publish a new event"));
    assert!(done.pass.stopped.is_none());
}

#[tokio::test]
async fn a_letter_that_is_not_utf_8_is_listed_and_never_put_back_as_what_nobody_wrote() {
    let (mut dead, world) = queue([Properties::default(), letter(DeadReason::BadJson, "s.jobs")]);
    dead.illegible = [0, 1].into();
    let looked = at(&mut dead, async |desk| desk.look(&everything()).await).await;
    let told: Vec<_> = looked.letters.iter().filter_map(|letter| letter.detail.as_deref()).collect();
    assert_eq!(told, [NOT_UTF_8, "/x: rule"], "what a worker said of it counts more");
    let (mut dead, _) = queue([letter(DeadReason::BadJson, "s.jobs"), letter(DeadReason::BadJson, "s.jobs")]);
    dead.illegible = [0].into();
    let done = redrive(&mut dead, &everything(), &world).await;
    assert_eq!((done.moved.len(), done.stayed.len()), (1, 1));
    assert!(done.stayed[0].1.contains("not UTF-8"));
}

#[tokio::test]
async fn a_name_means_one_letter_for_as_long_as_it_lies_there() {
    let named = async || {
        let (mut dead, _) = queue(three());
        let looked = at(&mut dead, async |desk| desk.look(&everything()).await).await;
        looked.letters.iter().map(|letter| letter.id).collect::<BTreeSet<_>>()
    };
    let ids = named().await;
    assert_eq!((ids.len(), &ids), (3, &named().await));
    for id in &ids {
        assert_eq!(LetterId::parse(&id.to_string()), Some(*id));
        let (mut dead, world) = queue(three());
        let one = Selection { ids: [*id].into(), ..everything() };
        let done = redrive(&mut dead, &one, &world).await;
        assert_eq!((done.moved.len(), done.pass.missing.len()), (1, 0));
        assert_eq!(done.moved[0].id, *id);
    }
    let (mut dead, world) = queue(three());
    let strange = LetterId::parse("0123456789abcdef").unwrap();
    let done = redrive(&mut dead, &Selection { ids: [strange].into(), ..everything() }, &world).await;
    assert_eq!((done.moved.len(), done.pass.missing), (0, [strange].into()));
    for text in ["", "0123456789abcde", "87771113111", "0123456789abcdeg"] {
        assert_eq!(LetterId::parse(text), None, "{text}");
    }
}

#[tokio::test]
async fn nothing_is_dropped_before_it_is_told_and_what_is_let_go_of_stays() {
    let (mut dead, world) = queue(three());
    let taken = at(&mut dead, async |desk| desk.take(&everything()).await).await;
    assert_eq!(taken.letters.len(), 3);
    drop(taken);
    assert!(world.lock().unwrap().gone.is_empty());

    let (mut dead, world) = queue((0..100).map(|_| letter(DeadReason::BadJson, "s.jobs")));
    let dropped = at(&mut dead, async |desk| {
        let taken = desk.take(&Selection { max: 40, ..everything() }).await;
        assert!(world.lock().unwrap().gone.is_empty(), "told, but not yet gone");
        desk.drop_for_good(taken).await
    });
    dropped.await.unwrap();
    assert_eq!(world.lock().unwrap().gone.len(), 40);
}

#[tokio::test]
async fn a_lost_session_is_told_and_never_called_done() {
    let (mut dead, world) = queue(three());
    world.lock().unwrap().session_is_gone = true;
    let done = redrive(&mut dead, &everything(), &world).await;
    assert!(done.moved.is_empty() && done.pass.stopped.is_some());
    assert_eq!(world.lock().unwrap().published.len(), 1, "there are two copies now, and no third is made");
    let (mut dead, world) = queue(three());
    world.lock().unwrap().session_is_gone = true;
    let dropped = at(&mut dead, async |desk| {
        let taken = desk.take(&everything()).await;
        desk.drop_for_good(taken).await
    });
    assert!(dropped.await.is_err());
}

#[tokio::test]
async fn the_sums_count_what_is_not_listed() {
    let (mut dead, _) = queue(three());
    let looked = at(&mut dead, async |desk| desk.look(&Selection { max: 1, ..everything() }).await).await;
    assert_eq!((looked.letters.len(), looked.pass.looked), (1, 3));
    let expected = [(Cause::Fault(DeadReason::UnknownRegion), 2), (Cause::Fault(DeadReason::BadSchema), 1)];
    assert_eq!(looked.causes, expected.into());
}
