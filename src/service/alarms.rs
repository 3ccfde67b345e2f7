//! Alarms: what a person must act on, as events of their own.
//!
//! A state is alarmed when it begins and logged when it ends, not for as long as it lasts, which a metric shows; two
//! workers that see the same state each say so. An alarm names states and counts, never a person.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value, json};

use super::clock::Clock;
use super::post::Post;
pub use crate::metrics::Alarm;
use crate::metrics::Metrics;

/// Raises alarms. Cheap to clone.
#[derive(Clone)]
pub struct Alarms {
    post: Post,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    raised: Arc<Mutex<BTreeSet<Alarm>>>,
}

impl Alarms {
    /// Alarms over a post.
    pub fn new(post: Post, clock: Arc<dyn Clock>, metrics: Arc<Metrics>) -> Self {
        Self { post, clock, metrics, raised: Arc::default() }
    }

    /// Something happened: alarms each time.
    pub async fn happened(&self, alarm: Alarm, detail: &str) {
        self.happened_to(alarm, detail, Map::new()).await;
    }

    /// Something happened to what these members name.
    pub async fn happened_to(&self, alarm: Alarm, detail: &str, named: Map<String, Value>) {
        tracing::error!(alarm = alarm.as_str(), detail, "alarm");
        let now = self.clock.now();
        self.metrics.alarm_raised(alarm, now);
        let mut body = json!({ "alarm": alarm.as_str(), "at": now.to_string(), "detail": detail });
        if let Some(members) = body.as_object_mut() {
            members.extend(named);
        }
        self.post.tell(format!("alarm.{}", alarm.as_str()), body.to_string().into_bytes()).await;
    }

    /// A state is so now: alarms when it was not before.
    pub async fn is(&self, alarm: Alarm, so: Option<&str>) {
        let began = {
            let mut raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
            self.metrics.set_alarm_active(alarm, so.is_some());
            if so.is_some() {
                raised.insert(alarm)
            } else {
                if raised.remove(&alarm) {
                    tracing::info!(alarm = alarm.as_str(), "alarm ended");
                }
                false
            }
        };
        if let (true, Some(detail)) = (began, so) {
            self.happened(alarm, detail).await;
        }
    }
}
