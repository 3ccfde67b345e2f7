//! Traces: what one message went through in this worker, as spans, and how its trace goes on with what leaves.
//!
//! A message's spans are collected while it is processed and leave together when it is done with, so that a job
//! which waits for hours costs the memory of one. They go to a [`SpanSink`], which must never wait. Without one,
//! nothing is recorded, nothing allocated, and a message's trace context is handed on as it came. No span holds
//! anything that a publisher made up (no id of a message, job, campaign or event, no routing key): what is noted
//! is counted, configured or a word of the contract.

mod context;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

pub use self::context::{SpanId, TRACEPARENT, TRACESTATE, TRACESTATE_BYTES_MAX, TraceContext, TraceId};
use super::clock::Clock;
use super::message::{HeaderValue, Properties};
use super::ports::Incoming;
use super::random;

/// Spans of one message, its own left out; of those beyond, only how many there were is told. A job that is tried
/// again for hours would make thousands.
pub const PARTS_MAX: usize = 31;

/// Where spans go that have ended.
pub trait SpanSink: Send + Sync {
    /// Takes the spans of one message. Never waits: what there is no room for is dropped, and counted.
    fn take(&self, spans: Vec<Ended>);
}

/// What a span is in the conversation between services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A message that came is processed.
    Consumer,
    /// A message is published.
    Producer,
    /// A step in between.
    Internal,
}

/// What is noted of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Of a closed set, or a configured name.
    Word(Cow<'static, str>),
    /// Several of them.
    Words(Vec<Arc<str>>),
    /// How many.
    Count(u64),
    /// Whether.
    Flag(bool),
}

/// A span that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its place in the trace.
    pub context: TraceContext,
    /// The span that it is a part of.
    pub parent: Option<SpanId>,
    /// Whether that one is another service's.
    pub parent_is_remote: bool,
    /// What was done.
    pub name: Cow<'static, str>,
    /// To what end.
    pub role: Role,
    /// When it began.
    pub began_at: Timestamp,
    /// How long it took, whatever the clock did meanwhile.
    pub took: Duration,
    /// What is known of it.
    pub notes: Vec<(&'static str, Note)>,
    /// Why it failed, in a word of a closed set.
    pub failed: Option<&'static str>,
}

/// Begins traces, or carries on those that messages belong to. Cheap to clone.
#[derive(Clone, Default)]
pub struct Traces(Option<Arc<Recorder>>);

struct Recorder {
    sink: Arc<dyn SpanSink>,
    clock: Arc<dyn Clock>,
    sample_ratio: f64,
}

impl Traces {
    /// Records nothing.
    pub fn off() -> Self {
        Self(None)
    }

    /// Records what publishers want recorded and, of the messages that belong to no trace, this share.
    pub fn new(sink: Arc<dyn SpanSink>, clock: Arc<dyn Clock>, sample_ratio: f64) -> Self {
        Self(Some(Arc::new(Recorder { sink, clock, sample_ratio })))
    }

    /// A message that came from this queue is processed.
    pub fn process(&self, incoming: &Incoming, queue: &str) -> Span {
        let Some(recorder) = &self.0 else { return Span(None) };
        let parent = TraceContext::of(&incoming.properties);
        let context = match parent {
            // Nobody looks at this trace. What leaves names the publisher's span, which is then the last known.
            Some(parent) if !parent.is_sampled() => return Span(None),
            Some(parent) => parent.with_span(random::span_id()),
            None => recorder.root(),
        };
        let tree = Arc::new(Tree {
            recorder: recorder.clone(),
            recorded: context.is_sampled(),
            goes_on: parent.is_some(),
            ended: Mutex::default(),
        });
        let open = Open::new(tree, context, parent.map(|parent| parent.span), Role::Consumer, || {
            format!("process {queue}").into()
        });
        let mut span = Span(Some(Box::new(Open { is_root: true, ..open })));
        span.messaging("process", "process", queue);
        span.note("messaging.message.body.size", incoming.body.len());
        span.note("suppressd.redelivered", incoming.redelivered);
        span
    }
}

impl Recorder {
    /// The beginning of a trace, recorded or not.
    fn root(&self) -> TraceContext {
        let trace = random::trace_id();
        let [.., a, b, c, d] = trace.0;
        let drawn = f64::from(u32::from_be_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0);
        TraceContext::root(trace, random::span_id(), drawn < self.sample_ratio)
    }
}

/// The spans of one message. They leave when the last of them has ended.
struct Tree {
    recorder: Arc<Recorder>,
    /// Whether they will be looked at. If not, only their places in the trace matter.
    recorded: bool,
    /// Whether the message came with a trace.
    goes_on: bool,
    ended: Mutex<Collected>,
}

#[derive(Default)]
struct Collected {
    spans: Vec<Ended>,
    left_out: u64,
    forgotten: bool,
}

impl Drop for Tree {
    fn drop(&mut self) {
        let collected = std::mem::take(self.ended.get_mut().unwrap_or_else(PoisonError::into_inner));
        if !collected.spans.is_empty() && !collected.forgotten {
            self.recorder.sink.take(collected.spans);
        }
    }
}

/// Something that takes its time. It ends when it is dropped; without a [`SpanSink`] it is nothing at all.
#[must_use = "a span ends when it is dropped"]
pub struct Span(Option<Box<Open>>);

struct Open {
    tree: Arc<Tree>,
    context: TraceContext,
    parent: Option<SpanId>,
    is_root: bool,
    name: Cow<'static, str>,
    role: Role,
    began_at: Timestamp,
    began: Instant,
    notes: Vec<(&'static str, Note)>,
    failed: Option<&'static str>,
}

impl Open {
    fn new(
        tree: Arc<Tree>,
        context: TraceContext,
        parent: Option<SpanId>,
        role: Role,
        name: impl FnOnce() -> Cow<'static, str>,
    ) -> Self {
        let name = if tree.recorded { name() } else { Cow::Borrowed("") };
        let (began_at, began) = (tree.recorder.clock.now(), Instant::now());
        let (notes, failed) = (Vec::new(), None);
        Self { tree, context, parent, is_root: false, name, role, began_at, began, notes, failed }
    }
}

impl Span {
    /// A span of nothing.
    pub fn none() -> Self {
        Self(None)
    }

    /// A step of this.
    pub fn step(&self, name: &'static str) -> Self {
        self.child(Role::Internal, || name.into())
    }

    /// A message is published to this exchange; an empty name is RabbitMQ's own.
    pub fn publish(&self, exchange: &str) -> Self {
        let exchange = if exchange.is_empty() { "amq.default" } else { exchange };
        let mut span = self.child(Role::Producer, || format!("publish {exchange}").into());
        span.messaging("publish", "send", exchange);
        span
    }

    fn child(&self, role: Role, name: impl FnOnce() -> Cow<'static, str>) -> Self {
        let Some(open) = &self.0 else { return Self(None) };
        let context = open.context.with_span(random::span_id());
        Self(Some(Box::new(Open::new(open.tree.clone(), context, Some(open.context.span), role, name))))
    }

    /// Whether what is noted will be looked at: worth asking before much is put together.
    pub fn is_recorded(&self) -> bool {
        self.0.as_ref().is_some_and(|open| open.tree.recorded)
    }

    /// Notes what is known: never what a publisher made up.
    pub fn note(&mut self, name: &'static str, note: impl Into<Note>) {
        if let Some(open) = self.0.as_mut().filter(|open| open.tree.recorded) {
            open.notes.push((name, note.into()));
        }
    }

    /// It failed, for this reason of a closed set.
    pub fn fail(&mut self, reason: &'static str) {
        self.note("error.type", reason);
        if let Some(open) = &mut self.0 {
            open.failed = Some(reason);
        }
    }

    /// This message is not worth telling of.
    pub fn forget(self) {
        if let Some(open) = &self.0 {
            open.tree.ended.lock().unwrap_or_else(PoisonError::into_inner).forgotten = true;
        }
    }

    /// Hands the trace on to a message that leaves because of one that came: this span, if there is one, or the
    /// context as it came. What breaks the rules of `traceparent` is as good as nothing.
    pub fn hand_on(&self, came: &Properties, leaves: &mut Properties) {
        match &self.0 {
            Some(open) => {
                let traceparent = HeaderValue::text(open.context.to_string());
                context::put(leaves, traceparent, open.tree.goes_on.then_some(came));
            }
            None if context::says_something(leaves) || TraceContext::of(came).is_none() => {}
            None => {
                let traceparent = context::header(came, TRACEPARENT).cloned();
                if let Some(traceparent) = traceparent {
                    context::put(leaves, traceparent, Some(came));
                }
            }
        }
    }

    /// The same for a message that stays what its publisher made it: only if that said nothing of a trace.
    pub fn hand_on_to_a_copy(&self, came: &Properties, copy: &mut Properties) {
        if !context::says_something(copy) {
            self.hand_on(came, copy);
        }
    }

    /// What lines of the log say of it, whichever of them are written.
    pub fn in_the_log(&self) -> tracing::Span {
        match self.0.as_ref().filter(|open| open.tree.recorded) {
            Some(open) => tracing::error_span!("trace", trace_id = %open.context.trace),
            None => tracing::Span::none(),
        }
    }

    /// By the conventions for messaging of OpenTelemetry; the routing key, which they want too, is the publisher's.
    fn messaging(&mut self, operation: &'static str, kind: &'static str, destination: &str) {
        if self.is_recorded() {
            self.note("messaging.system", "rabbitmq");
            self.note("messaging.operation.name", operation);
            self.note("messaging.operation.type", kind);
            self.note("messaging.destination.name", destination.to_owned());
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        let Some(open) = self.0.take().filter(|open| open.tree.recorded) else { return };
        let Open { tree, context, parent, is_root, name, role, began_at, began, mut notes, failed } = *open;
        let mut collected = tree.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if is_root && collected.left_out > 0 {
            notes.push(("suppressd.parts_left_out", Note::Count(collected.left_out)));
        }
        if !is_root && collected.spans.len() >= PARTS_MAX {
            collected.left_out += 1;
            return;
        }
        let parent_is_remote = is_root && parent.is_some();
        let took = began.elapsed();
        let ended = Ended { context, parent, parent_is_remote, name, role, began_at, took, notes, failed };
        collected.spans.push(ended);
    }
}

impl From<&'static str> for Note {
    fn from(word: &'static str) -> Self {
        Self::Word(word.into())
    }
}

impl From<String> for Note {
    fn from(word: String) -> Self {
        Self::Word(word.into())
    }
}

impl From<Vec<Arc<str>>> for Note {
    fn from(words: Vec<Arc<str>>) -> Self {
        Self::Words(words)
    }
}

impl From<u64> for Note {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<usize> for Note {
    fn from(count: usize) -> Self {
        Self::Count(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

impl From<bool> for Note {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}
