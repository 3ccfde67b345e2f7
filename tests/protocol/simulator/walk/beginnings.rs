//! Beginnings: the places where the protocol is nearest to a leak.

use std::time::Duration;

use super::{Fault, WORKERS, Walk};
use crate::fakes::outside::let_pass;
use crate::fakes::redis_link::SLICES;
use crate::fakes::steps::{Call, Step};
use crate::world::Person;

/// In what the second worker is when somebody opts out through the first: it is where a leak would come from.
#[derive(Debug, Clone, Copy)]
enum Second {
    /// It works.
    Works,
    /// Its mirror is slow.
    SlowMirror,
    /// A barrier of its own is on its way, and its mirror is slow.
    UnderWay,
    /// It is new, and what it read of the list's last slice is on its way.
    Loading,
    /// It is new, and has not asked for its fence again.
    Fencing,
    /// It is about to write a batch, and its mirror is slow.
    Writing,
}

/// What becomes of the opt-out then.
#[derive(Debug, Clone, Copy)]
enum Loss {
    Nothing,
    /// Redis restarts without it.
    Restart,
    /// Redis is emptied.
    Flush,
    /// The feed forgets it before the second worker has seen it.
    Trim,
    /// Another server serves, and the second worker still speaks to the one before.
    Split,
}

const SECONDS: [Second; 6] =
    [Second::Works, Second::SlowMirror, Second::UnderWay, Second::Loading, Second::Fencing, Second::Writing];

const LOSSES: [Loss; 5] = [Loss::Nothing, Loss::Restart, Loss::Flush, Loss::Trim, Loss::Split];

impl Walk {
    /// One of the places where the protocol is nearest to a leak: somebody opts out through the first worker and is
    /// acknowledged, Redis may lose it, and the second worker, which is behind, gets a job.
    pub(super) async fn begin(&mut self) {
        let second = SECONDS[self.dice.below(SECONDS.len())];
        let loss = LOSSES[self.dice.below(LOSSES.len())];
        self.note(format!("the second worker: {second:?}; then: {loss:?}"));
        for worker in &self.workers {
            worker.ready().await;
        }
        self.world.redis.save(self.serving);
        self.put_behind(second).await;
        if let Loss::Split = loss {
            self.split();
        }
        for _ in 0..=self.dice.below(2) {
            self.somebody_opts_out(0).await;
        }
        if self.dice.below(2) == 0 {
            for worker in 0..WORKERS {
                self.slow(worker, Step::Before(Call::Apply), 3_000);
            }
        }
        match loss {
            Loss::Nothing | Loss::Split => {}
            Loss::Restart => {
                self.strike(Fault::Restart, 0);
                if self.dice.below(2) == 0 {
                    self.strike(Fault::Crash, 1);
                }
            }
            Loss::Flush => self.strike(Fault::Flush, 0),
            Loss::Trim => {
                let keep = self.dice.below(2);
                self.world.redis.trim_feed(self.serving, keep);
            }
        }
        let_pass(Duration::from_millis([0, 30, 400][self.dice.below(3)])).await;
        self.give_a_job(1);
        let_pass(Duration::from_millis([0, 300, 4000][self.dice.below(3)])).await;
    }

    async fn put_behind(&mut self, second: Second) {
        match second {
            Second::Works => {}
            Second::SlowMirror => self.slow_mirror().await,
            Second::UnderWay => {
                self.slow_mirror().await;
                self.note("W1 has a barrier under way".into());
                let mut held = self.workers[1].steps.hold(Step::After(Call::Barrier));
                held.reached().await;
                // A pass that is older than a second is not published on.
                let millis = [800, 2500][self.dice.below(2)];
                self.let_go(held, millis);
            }
            Second::Loading => {
                self.strike(Fault::Crash, 1);
                let last = Call::Slice(SLICES - 1);
                let step = if self.dice.below(2) == 0 { Step::Before(last) } else { Step::After(last) };
                self.slow(1, step, 3_000);
                let_pass(Duration::from_millis(500)).await;
            }
            Second::Fencing => {
                self.strike(Fault::Crash, 1);
                while self.world.stream.fences_of(self.workers[1].id) == 0 {
                    let_pass(Duration::from_millis(5)).await;
                }
                self.slow(1, Step::Before(Call::Barrier), 3_000);
                let_pass(Duration::from_millis(200)).await;
                self.world.redis.save(self.serving);
            }
            Second::Writing => {
                self.slow_mirror().await;
                self.slow(1, Step::Before(Call::Apply), 1_000);
                self.slow(1, Step::Before(Call::Apply), 4_000);
                self.people += 1;
                let delivery = self.workers[1].opt_out(&self.world, Person(self.people));
                self.held.push((1, delivery));
                let_pass(Duration::from_millis(30)).await;
            }
        }
    }

    /// The second worker's next read of the feed takes very long; the one under way ends first.
    pub(super) async fn slow_mirror(&mut self) {
        self.slow(1, Step::Before(Call::Follow), 6_000);
        let_pass(Duration::from_millis(1200)).await;
    }

    /// Another server serves, and the first worker knows. The one before lives on, cut off.
    fn split(&mut self) {
        let nodes = self.world.redis.nodes().len();
        if nodes > 1 {
            (self.serving, self.lossy) = (1, true);
            self.note("R1 serves; R0 is cut off; W0 knows".into());
            self.world.redis.promote(1);
            self.workers[0].redis.move_to(1);
        }
    }
}
