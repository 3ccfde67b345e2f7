//! The bookkeeping of a test under load: what was sent, what came back, and whether the promise was kept.
//!
//! Who was covered is decided when a job is about to be published, from the receipts that had come by then,
//! and never from anything that the worker says later. So a verdict accuses nobody wrongly: an opt-out whose
//! receipt is still on its way may or may not be honoured.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use serde_json::Value;

use crate::support::Message;

/// Findings that a verdict spells out; the rest is only counted.
const FINDINGS_MAX: usize = 8;

/// A person, by number.
pub(crate) type Person = u32;

/// The records. Shared by everybody who sends and receives.
#[derive(Default)]
pub(crate) struct Checker(Mutex<Records>);

#[derive(Default)]
struct Records {
    opt_outs: BTreeMap<String, OptOut>,
    jobs: BTreeMap<String, Job>,
    /// Everybody who asked, answered or not.
    asked: BTreeSet<Person>,
    /// Everybody whose opt-out was acknowledged.
    covered: BTreeSet<Person>,
    /// The newest revision that a receipt named.
    revision: u64,
    leaked: usize,
    unexpected: usize,
    findings: Vec<String>,
}

struct OptOut {
    person: Person,
    confirmed: bool,
    receipts: usize,
}

struct Job {
    people: BTreeSet<Person>,
    /// Those of them whose opt-out was acknowledged before it was published.
    covered: BTreeSet<Person>,
    /// What the list had by then, so what its output must be filtered against at least.
    revision_min: u64,
    confirmed: bool,
    outputs: usize,
}

/// What became of one kind of messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Handed to RabbitMQ, whatever it answered.
    pub(crate) attempted: usize,
    /// Confirmed by RabbitMQ.
    pub(crate) acknowledged: usize,
    /// Answered: by a receipt, by an output.
    pub(crate) delivered: usize,
    /// Confirmed, and never answered.
    pub(crate) lost: usize,
    /// Answers beyond the first.
    pub(crate) duplicated: usize,
}

/// The sum of it all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Opt-outs and their receipts.
    pub(crate) opt_outs: Count,
    /// Jobs and their outputs.
    pub(crate) jobs: Count,
    /// Recipients of all jobs together.
    pub(crate) recipients: usize,
    /// People in outputs who were covered before the job was published.
    pub(crate) leaked: usize,
    /// Whatever else must not be: an output of no job, another message id than the job's, sums that do not
    /// hold, an older revision than one acknowledged before, somebody removed who never asked, a receipt
    /// that refuses.
    pub(crate) unexpected: usize,
    /// The first of them, in words.
    pub(crate) findings: Vec<String>,
}

impl Verdict {
    /// Nothing lost, nobody leaked, nothing strange.
    pub(crate) fn must_hold(&self) -> &Self {
        let lost = self.opt_outs.lost + self.jobs.lost;
        assert!(lost == 0 && self.leaked == 0 && self.unexpected == 0, "{self:#?}");
        self
    }
}

impl Checker {
    /// An opt-out is about to be published.
    pub(crate) fn asking(&self, event_id: &str, person: Person) {
        let mut records = self.lock();
        records.asked.insert(person);
        let opt_out = OptOut { person, confirmed: false, receipts: 0 };
        records.opt_outs.insert(event_id.to_owned(), opt_out);
    }

    /// RabbitMQ has confirmed an opt-out.
    pub(crate) fn asked(&self, event_id: &str) {
        if let Some(opt_out) = self.lock().opt_outs.get_mut(event_id) {
            opt_out.confirmed = true;
        }
    }

    /// A receipt has come: from here on the person is covered. Answers the event's id.
    pub(crate) fn receipt(&self, receipt: &Value) -> String {
        let event_id = receipt["event_id"].as_str().unwrap_or_default().to_owned();
        let mut records = self.lock();
        let applied = ["applied", "duplicate"].map(Value::from).contains(&receipt["status"]);
        let Some(opt_out) = records.opt_outs.get_mut(&event_id).filter(|_| applied) else {
            records.strange(format!("a receipt that nobody waits for: {receipt}"));
            return event_id;
        };
        opt_out.receipts += 1;
        let person = opt_out.person;
        records.covered.insert(person);
        records.revision = records.revision.max(receipt["revision"].as_u64().unwrap_or_default());
        event_id
    }

    /// The ledger began anew, and with it the numbers of revisions: nothing that was acknowledged before bounds them.
    pub(crate) fn revisions_begin_anew(&self) {
        let mut records = self.lock();
        records.revision = 0;
        records.jobs.values_mut().for_each(|job| job.revision_min = 0);
    }

    /// A job is about to be published.
    pub(crate) fn publishing(&self, job_id: &str, people: &[Person]) {
        let mut records = self.lock();
        let people: BTreeSet<Person> = people.iter().copied().collect();
        let covered = people.intersection(&records.covered).copied().collect();
        let revision_min = records.revision;
        let job = Job { people, covered, revision_min, confirmed: false, outputs: 0 };
        records.jobs.insert(job_id.to_owned(), job);
    }

    /// RabbitMQ has confirmed a job.
    pub(crate) fn published(&self, job_id: &str) {
        if let Some(job) = self.lock().jobs.get_mut(job_id) {
            job.confirmed = true;
        }
    }

    /// An output has come. `person_of` reads who a recipient is. Answers the job's id.
    pub(crate) fn output(&self, message: &Message, person_of: impl Fn(&Value) -> Person) -> String {
        self.judge(&message.json(), message.message_id(), person_of)
    }

    fn judge(&self, body: &Value, message_id: Option<&str>, person_of: impl Fn(&Value) -> Person) -> String {
        let id = body["job_id"].as_str().unwrap_or_default().to_owned();
        let mut records = self.lock();
        let Some(mut job) = records.jobs.remove(&id) else {
            records.strange(format!("an output of no job: {id}"));
            return id;
        };
        job.outputs += 1;
        if message_id != Some(id.as_str()) {
            records.strange(format!("job {id} came out under the message id {message_id:?}"));
        }
        let revision = body["suppression"]["revision"].as_u64().unwrap_or_default();
        if revision < job.revision_min {
            let at_least = job.revision_min;
            records.strange(format!("job {id} is of revision {revision}, {at_least} was acknowledged"));
        }
        if let Some(wrong) = unsound(body, job.people.len()) {
            records.strange(format!("job {id}: {wrong}"));
        }
        let kept: BTreeSet<Person> = recipients(body).map(person_of).collect();
        for person in kept.intersection(&job.covered) {
            records.leaked += 1;
            let (copy, at_least) = (job.outputs, job.revision_min);
            let what = format!("person {person} is in copy {copy} of job {id}, filtered at {revision}");
            records.note(format!("{what}; acknowledged at or before {at_least}"));
        }
        for person in kept.difference(&job.people) {
            records.strange(format!("person {person} was never in job {id}"));
        }
        let removed: Vec<Person> = job.people.difference(&kept).copied().collect();
        for person in removed.iter().filter(|person| !records.asked.contains(person)).collect::<Vec<_>>() {
            records.strange(format!("person {person} never asked, and was removed from job {id}"));
        }
        records.jobs.insert(id.clone(), job);
        id
    }

    /// How it stands now.
    pub(crate) fn verdict(&self) -> Verdict {
        let records = self.lock();
        Verdict {
            opt_outs: count(records.opt_outs.values().map(|event| (event.confirmed, event.receipts))),
            jobs: count(records.jobs.values().map(|job| (job.confirmed, job.outputs))),
            recipients: records.jobs.values().map(|job| job.people.len()).sum(),
            leaked: records.leaked,
            unexpected: records.unexpected,
            findings: records.findings.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.0.lock().expect("nobody panics while recording")
    }
}

impl Records {
    fn strange(&mut self, finding: String) {
        self.unexpected += 1;
        self.note(finding);
    }

    fn note(&mut self, finding: String) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }
}

/// Each item: whether RabbitMQ confirmed it, and how often it was answered.
fn count(messages: impl Iterator<Item = (bool, usize)>) -> Count {
    messages.fold(Count::default(), |sum, (confirmed, answers)| Count {
        attempted: sum.attempted + 1,
        acknowledged: sum.acknowledged + usize::from(confirmed),
        delivered: sum.delivered + usize::from(answers > 0),
        lost: sum.lost + usize::from(confirmed && answers == 0),
        duplicated: sum.duplicated + answers.saturating_sub(1),
    })
}

fn recipients(body: &Value) -> impl Iterator<Item = &Value> {
    let segments = body["segments"].as_array().into_iter().flatten();
    segments.flat_map(|segment| segment["recipients"].as_array().into_iter().flatten())
}

/// What is wrong with the sums of an output, if anything.
fn unsound(body: &Value, received_in_all: usize) -> Option<String> {
    let mut received_sum = 0;
    let tallies = body["suppression"]["segments"].as_array()?;
    for (segment, tally) in body["segments"].as_array()?.iter().zip(tallies) {
        let kept = segment["recipients"].as_array().map_or(0, |all| all.len() as u64);
        let removed: u64 = tally["removed"].as_object()?.values().filter_map(Value::as_u64).sum();
        let received = tally["received"].as_u64()?;
        received_sum += received;
        if tally["kept"] != kept || received != kept + removed {
            return Some(format!("{kept} recipients are there, and the tally says {tally}"));
        }
    }
    let all = received_in_all as u64;
    (received_sum != all).then(|| format!("{all} recipients were sent, {received_sum} received"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The output of a job that had persons 1 and 2.
    fn output(kept: &[Person], revision: u64) -> Value {
        json!({
            "job_id": "j", "segments": [{"recipients": kept}],
            "suppression": {"revision": revision, "segments": [
                {"received": 2, "kept": kept.len(), "removed": {"opt_out": 2 - kept.len()}}
            ]}
        })
    }

    /// Person 1 is covered since revision 5; a job of persons 1 and 2 is published.
    fn scene() -> Checker {
        let checker = Checker::default();
        checker.asking("e", 1);
        checker.asked("e");
        checker.receipt(&json!({"event_id": "e", "status": "applied", "revision": 5}));
        checker.publishing("j", &[1, 2]);
        checker.published("j");
        checker
    }

    fn seen(checker: &Checker, output: &Value, id: &str) -> Verdict {
        checker.judge(output, Some(id), |value| Person::try_from(value.as_u64().unwrap()).unwrap());
        checker.verdict()
    }

    #[test]
    fn what_is_right_is_not_accused() {
        let checker = scene();
        assert_eq!((checker.verdict().jobs.lost, checker.verdict().opt_outs.lost), (1, 0));
        let verdict = seen(&checker, &output(&[2], 5), "j");
        let once = Count { attempted: 1, acknowledged: 1, delivered: 1, lost: 0, duplicated: 0 };
        assert_eq!((verdict.must_hold().jobs, verdict.opt_outs), (once, once));
        assert_eq!(seen(&checker, &output(&[2], 6), "j").must_hold().jobs.duplicated, 1);
    }

    #[test]
    fn after_a_new_ledger_small_numbers_are_right_and_leaks_are_found_all_the_same() {
        let checker = scene();
        checker.revisions_begin_anew();
        assert_eq!(seen(&checker, &output(&[2], 1), "j").must_hold().leaked, 0);
        assert_eq!(seen(&checker, &output(&[1, 2], 1), "j").leaked, 1);
    }

    #[test]
    fn each_breach_is_found() {
        assert_eq!(seen(&scene(), &output(&[1, 2], 5), "j").leaked, 1);
        let strange = [
            (output(&[2], 4), "j", "an old revision"),
            (output(&[2], 5), "k", "another message id"),
            (output(&[], 5), "j", "somebody removed who never asked"),
            (output(&[2, 3], 5), "j", "somebody who was never in"),
        ];
        for (output, id, what) in strange {
            assert_eq!(seen(&scene(), &output, id).unexpected, 1, "{what}");
        }
        let mut unsound = output(&[2], 5);
        unsound["suppression"]["segments"][0]["received"] = json!(3);
        assert_eq!(seen(&scene(), &unsound, "j").unexpected, 1);
        let mut foreign = output(&[2], 5);
        foreign["job_id"] = json!("x");
        assert_eq!(seen(&scene(), &foreign, "x").unexpected, 1);
    }
}
