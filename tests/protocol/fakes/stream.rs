//! The ledger: a stream with offsets, whose readers may see records late and never learn where it ends.
//!
//! When the broker restarts, every reader breaks; records that it had not synced may be gone, and their
//! offsets are used again. A reader beyond the end waits silently, as on a real stream.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use suppressd::codec::record;
use suppressd::domain::record::{Entry, Nonce, Record, WorkerId};
use suppressd::service::ports::{BrokerFault, Ledger, LedgerReader, Start};
use tokio::sync::watch;
use tokio::time::Instant;

use super::steps::{Call, Step, Steps};

/// How old the count is that the broker tells.
const COUNT_AGE: Duration = Duration::from_secs(1);

/// What a reader makes of a record.
pub(crate) type Lens = Arc<dyn Fn(Vec<u8>) -> Vec<u8> + Send + Sync>;

/// The stream itself.
#[derive(Clone)]
pub(crate) struct Stream {
    state: Arc<Mutex<State>>,
    /// Moves whenever a reader may have something new to see.
    moved: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    records: Vec<Vec<u8>>,
    /// When each came.
    since: Vec<Instant>,
    /// Counts the broker's lives.
    life: u64,
}

impl Stream {
    pub(crate) fn new(first: &Entry) -> Self {
        let stream = Self { state: Arc::default(), moved: watch::Sender::new(0) };
        stream.put(record::write(first));
        stream
    }

    /// Adds a record as an administrator or another worker would.
    pub(crate) fn push(&self, entry: &Entry) -> u64 {
        let offset = self.put(record::write(entry));
        self.notify();
        offset
    }

    fn put(&self, record: Vec<u8>) -> u64 {
        let mut state = self.state.lock().unwrap();
        state.records.push(record);
        state.since.push(Instant::now());
        state.records.len() as u64 - 1
    }

    pub(crate) fn len(&self) -> u64 {
        self.state.lock().unwrap().records.len() as u64
    }

    /// All records.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let state = self.state.lock().unwrap();
        state.records.iter().map(|bytes| record::read(bytes).unwrap()).collect()
    }

    /// All records as they were written.
    pub(crate) fn raw(&self) -> Vec<Vec<u8>> {
        self.state.lock().unwrap().records.clone()
    }

    /// How many fences of this worker are in.
    pub(crate) fn fences_of(&self, id: WorkerId) -> usize {
        self.fences(id).len()
    }

    /// The fences of this worker.
    pub(crate) fn fences(&self, id: WorkerId) -> Vec<Nonce> {
        let fence = |entry: Entry| match entry.record {
            Record::Fence { worker, nonce } if worker == id => Some(nonce),
            _ => None,
        };
        self.entries().into_iter().filter_map(fence).collect()
    }

    /// How many records the broker says that there are: an old count.
    pub(crate) fn declared(&self) -> u64 {
        let state = self.state.lock().unwrap();
        state.since.iter().filter(|since| since.elapsed() > COUNT_AGE).count() as u64
    }

    /// The broker restarts and has lost everything from this offset on.
    pub(crate) fn lose_from(&self, offset: u64) {
        let mut state = self.state.lock().unwrap();
        state.records.truncate(usize::try_from(offset).unwrap());
        state.since.truncate(usize::try_from(offset).unwrap());
        state.life += 1;
        drop(state);
        self.notify();
    }

    /// The stream was deleted and another one has its name.
    pub(crate) fn replace(&self, first: &Entry) {
        self.lose_from(0);
        self.push(first);
    }

    fn notify(&self) {
        self.moved.send_modify(|moves| *moves += 1);
    }
}

/// One worker's way to the stream.
pub(crate) struct Broker {
    stream: Stream,
    steps: Steps,
    view: Arc<Mutex<View>>,
    lens: Option<Lens>,
}

struct View {
    /// The offset from which on this worker's readers see nothing yet.
    sees: u64,
    /// Readers made before this count are deaf for ever.
    deaf_below: u64,
    readers: u64,
}

impl Broker {
    pub(crate) fn new(stream: Stream, steps: Steps) -> Self {
        let view = View { sees: u64::MAX, deaf_below: 0, readers: 0 };
        Self { stream, steps, view: Arc::new(Mutex::new(view)), lens: None }
    }

    /// Its readers see this in the place of what is there.
    pub(crate) fn through(self, lens: Option<Lens>) -> Self {
        Self { lens, ..self }
    }

    /// From now on readers see only what is before this offset.
    pub(crate) fn sees_until(&self, offset: u64) {
        self.view.lock().unwrap().sees = offset;
        self.stream.notify();
    }

    /// The readers that are open now hear nothing any more, and no error either.
    pub(crate) fn deafen(&self) {
        let mut view = self.view.lock().unwrap();
        view.deaf_below = view.readers;
    }
}

#[async_trait]
impl Ledger for Broker {
    async fn append(&self, record: Vec<u8>) -> Result<(), BrokerFault> {
        if !self.steps.at(Step::Before(Call::Append)).await {
            return Err(BrokerFault::new("the record could not be sent"));
        }
        self.stream.put(record);
        self.stream.notify();
        if !self.steps.at(Step::After(Call::Append)).await {
            return Err(BrokerFault::new("no confirm in time"));
        }
        Ok(())
    }

    async fn read_from(&self, start: Start) -> Result<Box<dyn LedgerReader>, BrokerFault> {
        let (life, end) = {
            let state = self.stream.state.lock().unwrap();
            (state.life, state.records.len() as u64)
        };
        let next = match start {
            Start::Offset(offset) => offset,
            Start::Last => end.saturating_sub(1),
        };
        let mut view = self.view.lock().unwrap();
        view.readers += 1;
        let (moved, view) = ((self.stream.moved.subscribe(), view.readers), self.view.clone());
        let (moved, number) = moved;
        let lens = self.lens.clone();
        Ok(Box::new(Reader { stream: self.stream.clone(), view, moved, number, next, life, lens }))
    }
}

struct Reader {
    stream: Stream,
    view: Arc<Mutex<View>>,
    moved: watch::Receiver<u64>,
    number: u64,
    next: u64,
    life: u64,
    lens: Option<Lens>,
}

impl Reader {
    fn look(&self) -> Result<Option<Vec<u8>>, BrokerFault> {
        let state = self.stream.state.lock().unwrap();
        let view = self.view.lock().unwrap();
        if self.number <= view.deaf_below {
            return Ok(None);
        }
        if state.life != self.life {
            return Err(BrokerFault::new("the consumer is gone"));
        }
        let seen = self.next < view.sees;
        let at = usize::try_from(self.next).unwrap();
        Ok(state.records.get(at).filter(|_| seen).cloned())
    }
}

#[async_trait]
impl LedgerReader for Reader {
    async fn next(&mut self) -> Result<(u64, Vec<u8>), BrokerFault> {
        loop {
            self.moved.borrow_and_update();
            if let Some(record) = self.look()? {
                self.next += 1;
                return Ok((
                    self.next - 1,
                    match &self.lens {
                        Some(lens) => lens(record),
                        None => record,
                    },
                ));
            }
            if self.moved.changed().await.is_err() {
                return Err(BrokerFault::new("the stream is gone"));
            }
        }
    }
}
