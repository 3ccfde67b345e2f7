//! Troubles that come once: another ledger, other keys, another version, a wrong clock, and who mends them.
//!
//! Each ends mended, as its operator would do it, and the history goes on from there.

use std::sync::Arc;
use std::time::Duration;

use suppressd::domain::digest::{HashKey, KeyRing};
use suppressd::domain::record::Record;

use super::{Fault, Walk};
use crate::fakes::outside::let_pass;
use crate::fakes::redis_link::{SLICES, slice_of};
use crate::fakes::steps::{Call, Held, Step};
use crate::world::{NEXT_KEY, Person, Setup, entry, first_key};

#[derive(Debug, Clone, Copy)]
enum Trouble {
    /// The broker lost its last records.
    ShortLedger,
    /// The list depends on another key than the first worker has.
    OtherKey,
    /// The second worker is of another version than keeps the list.
    OtherVersion,
    /// The second worker's clock is a month behind.
    WrongClock,
    /// Readers of the ledger hear nothing any more.
    DeafReaders,
    /// An event comes under a name that was used.
    UsedName,
    /// Two servers take writes, and a replica goes from one to the other.
    TwoPrimaries,
    /// Redis loses its tail between two parts of a list that a new worker loads.
    TornLoad,
    /// A barrier's answer takes longer than the mirror.
    SlowBarrier,
    /// Somebody opts out right behind the barrier of a job.
    LateStamp,
    /// A job's barrier is old when it is answered, and the mirror no newer.
    OldBarrier,
}

const TROUBLES: [Trouble; 11] = [
    Trouble::ShortLedger,
    Trouble::OtherKey,
    Trouble::OtherVersion,
    Trouble::WrongClock,
    Trouble::DeafReaders,
    Trouble::UsedName,
    Trouble::TwoPrimaries,
    Trouble::TornLoad,
    Trouble::SlowBarrier,
    Trouble::LateStamp,
    Trouble::OldBarrier,
];

/// Long enough for the workers to see what is wrong.
const NOTICED: Duration = Duration::from_secs(20);

const MONTH_MS: i64 = 30 * 24 * 3_600_000;

impl Walk {
    pub(super) async fn be_in_trouble(&mut self) {
        let trouble = TROUBLES[self.dice.below(TROUBLES.len())];
        self.note(format!("trouble: {trouble:?}"));
        for worker in &self.workers {
            worker.ready().await;
        }
        match trouble {
            Trouble::ShortLedger => self.short_ledger().await,
            Trouble::OtherKey => self.other_key().await,
            Trouble::OtherVersion => self.other_version().await,
            Trouble::WrongClock => self.wrong_clock().await,
            Trouble::DeafReaders => self.deaf_readers().await,
            Trouble::UsedName => self.used_name().await,
            Trouble::TwoPrimaries => self.two_primaries().await,
            Trouble::TornLoad => self.torn_load().await,
            Trouble::SlowBarrier => self.slow_barrier().await,
            Trouble::LateStamp => self.late_stamp().await,
            Trouble::OldBarrier => self.old_barrier().await,
        }
    }

    async fn some_time(&mut self) {
        let_pass(Duration::from_millis([30, 300, 3000][self.dice.below(3)])).await;
    }

    /// Whoever is told that the ledger lost something gives back what the list has.
    async fn short_ledger(&mut self) {
        for _ in 0..=self.dice.below(2) {
            self.somebody_opts_out(0).await;
        }
        if self.dice.below(2) == 0 {
            self.note("W1 does not hear of it".into());
            self.workers[1].broker.deafen();
        }
        self.world.stream.lose_from(self.world.stream.len() - 1);
        self.give_an_opt_out(1);
        self.some_time().await;
        self.give_a_job(0);
        self.give_a_job(1);
        let_pass(NOTICED).await;
        if self.workers.iter().any(|worker| worker.ledger_state.borrow().lost) {
            self.note("the ledger is given back what the list has, and the list is rebuilt".into());
            let people = self.world.redis.content(self.serving).1.into_iter().collect();
            self.world.stream.push(&entry(Record::Restored { people, requests: vec![] }));
            self.world.ledger_begins_anew();
            self.lossy = true;
            self.world.redis.flush(self.serving);
        }
    }

    /// The key is changed before anybody is on the list; the first worker is forgotten for a while.
    async fn other_key(&mut self) {
        let ring = |keys: Vec<HashKey>| Arc::new(KeyRing::new(keys).unwrap());
        let both = ring(vec![first_key(), NEXT_KEY.clone()]);
        let helper = self.world.start_as(&Setup { keys: both, ..Setup::default() });
        self.world.stream.push(&entry(Record::KeyAdded { key: NEXT_KEY.check() }));
        let of = [first_key().check(), NEXT_KEY.check()].into();
        self.world.stream.push(&entry(Record::KeyRetired { key: first_key().check(), of }));
        let_pass(Duration::from_secs(5)).await;
        drop(helper);
        self.setup.keys = ring(vec![NEXT_KEY.clone()]);
        self.start_again(1, &self.setup.clone());
        self.workers[1].ready().await;
        self.somebody_opts_out(1).await;
        self.give_a_job(0);
        self.give_an_opt_out(0);
        self.some_time().await;
        self.start_again(0, &self.setup.clone());
    }

    /// The second worker filters on a list that the first one keeps; then the first one is of the new version, too,
    /// and the list is rebuilt.
    async fn other_version(&mut self) {
        self.setup.newer = 1;
        self.start_again(1, &self.setup.clone());
        self.somebody_opts_out(0).await;
        self.give_a_job(1);
        let filtered = self.held.pop().expect("it was just given");
        filtered.1.output().await;
        self.give_an_opt_out(1);
        self.some_time().await;
        self.start_again(0, &self.setup.clone());
        self.some_time().await;
        self.note("the list is rebuilt".into());
        self.lossy = true;
        self.world.redis.flush(self.serving);
    }

    /// Somebody who had opted in opts out through a worker that would date it before that.
    async fn wrong_clock(&mut self) {
        self.workers[0].opt_in(&self.world, Person(self.people + 1)).done().await;
        self.start_again(1, &Setup { ahead_ms: -MONTH_MS, ..self.setup.clone() });
        self.workers[1].ready().await;
        self.give_an_opt_out(1);
        let_pass(Duration::from_secs(3)).await;
        self.give_a_job(0);
        self.some_time().await;
        self.note("W1's clock is set".into());
        self.start_again(1, &self.setup.clone());
    }

    async fn deaf_readers(&mut self) {
        for worker in &self.workers {
            worker.broker.deafen();
        }
        self.people += 1;
        self.workers[0].opt_out(&self.world, Person(self.people)).done().await;
    }

    /// The first one counts: nobody is to hear of the other.
    async fn used_name(&mut self) {
        self.people += 1;
        let mut first = self.workers[0].opt_out(&self.world, Person(self.people));
        first.done().await;
        let name = first.event().expect("an event").to_owned();
        self.workers[1].opt_out_named(&self.world, &name, Person(0)).done().await;
    }

    /// The fence of a worker that nobody confirmed anything to vouches for nothing.
    async fn two_primaries(&mut self) {
        let nodes = self.world.redis.nodes().len();
        if nodes < 3 {
            return;
        }
        self.lossy = true;
        let_pass(Duration::from_secs(3)).await;
        self.world.redis.promote(1);
        self.workers[1].redis.move_to(1);
        let_pass(Duration::from_secs(1)).await;
        self.workers[1].broker.sees_until(self.world.stream.len());
        self.somebody_opts_out(0).await;
        self.world.redis.copy_from(2, 1);
        self.give_a_job(1);
        self.some_time().await;
        self.serving = 1;
        self.workers[0].redis.move_to(1);
        self.workers[1].broker.sees_until(u64::MAX);
    }

    /// The last part is read before the list is whole again.
    async fn torn_load(&mut self) {
        self.world.redis.save(self.serving);
        // Until somebody lies in that part.
        loop {
            self.somebody_opts_out(0).await;
            if slice_of(Person(self.people).digest().0) == SLICES - 1 {
                break;
            }
        }
        self.start_again(1, &self.setup.clone());
        // The list is whole again where the new worker met it.
        for worker in &self.workers {
            worker.broker.sees_until(self.world.stream.len());
        }
        // Two parts are asked for at once, so the last one is asked for behind this one.
        let mut held = self.workers[1].steps.hold(Step::Answered(Call::Slice(SLICES - 3)));
        held.reached().await;
        // What the barrier at the end of the load finds is whole again.
        let mut barrier = self.workers[1].steps.hold(Step::Before(Call::Barrier));
        barrier.reached().await;
        self.strike(Fault::Restart, 0);
        held.go();
        let_pass(Duration::from_secs(2)).await;
        barrier.go();
        let_pass(Duration::from_secs(1)).await;
        for worker in &self.workers {
            worker.broker.sees_until(u64::MAX);
        }
        self.give_a_job(1);
        self.some_time().await;
    }

    /// The mirror is ahead of what the barrier read, and nothing is lost.
    async fn slow_barrier(&mut self) {
        let mut held = self.workers[1].steps.hold(Step::After(Call::Barrier));
        held.reached().await;
        self.somebody_opts_out(0).await;
        held.go();
        self.some_time().await;
        self.world.check_no_false_loss();
    }

    /// Gives the second worker a job. Answers the job's barrier, which is about to be sent.
    async fn job_at_its_barrier(&mut self) -> Held {
        let mut before = self.workers[1].steps.hold(Step::Before(Call::Barrier));
        before.reached().await;
        self.give_a_job(1);
        let mut its = self.workers[1].steps.hold(Step::Before(Call::Barrier));
        before.go();
        its.reached().await;
        its
    }

    /// What is stamped is what was judged.
    async fn late_stamp(&mut self) {
        let barrier = self.job_at_its_barrier().await;
        let mut next = self.workers[1].steps.hold(Step::Before(Call::Barrier));
        barrier.go();
        next.reached().await;
        self.somebody_opts_out(0).await;
        next.go();
        self.some_time().await;
    }

    async fn old_barrier(&mut self) {
        self.slow_mirror().await;
        let barrier = self.job_at_its_barrier().await;
        let mut answer = self.workers[1].steps.hold(Step::After(Call::Barrier));
        barrier.go();
        answer.reached().await;
        self.somebody_opts_out(0).await;
        let_pass(Duration::from_secs(2)).await;
        answer.go();
        self.some_time().await;
    }
}
