//! Jobs, as anybody may publish them. What is taken for a job is JSON for everybody else too, and so is its output,
//! in which everybody was kept or removed.
#![no_main]

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use serde_json::Value;
use suppressd::codec::job::{self, JobLimits, Names, Stamp};
use suppressd::domain::digest::{HashKey, KeyRing};
use suppressd::domain::filter::{judge, prepare};
use suppressd::domain::identifier::{Country, canonical};
use suppressd::domain::record::ListId;
use suppressd::mirror::Mirror;

/// Every name is configured.
struct Any;

impl Names for Any {
    fn region(&self, name: &str) -> Option<Arc<str>> {
        Some(name.into())
    }

    fn brand(&self, name: &str) -> Option<Arc<str>> {
        Some(name.into())
    }
}

static KEYS: LazyLock<KeyRing> = LazyLock::new(|| {
    let key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
    KeyRing::new(vec![HashKey::from_file_text(key).expect("a key")]).expect("a key ring")
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(job) = job::decode(bytes, &JobLimits::default(), &Any) else { return };
    // By its grammar, JSON may have half of a surrogate pair, which no text can be made of; it is passed on.
    let Ok(parsed) = serde_json::from_slice::<Value>(bytes) else {
        serde_json::from_slice::<IgnoredAny>(bytes).expect("what is taken for a job is JSON");
        return;
    };
    let received: usize = people(&parsed);
    let country = Country::parse("KZ").expect("a country");
    let prepared = prepare(job.channel, job.segments(), &KEYS, |kind, text, buffer| {
        canonical(kind, text, &country, buffer).ok()
    });
    let mirror = Mirror::new(ListId([0; 16]), 0, 0, None);
    let verdicts = judge(&prepared, job.purpose, &job.brand, &mirror);
    let stamp = Stamp { revision: 1, filtered_at: Timestamp::UNIX_EPOCH };
    let output: Value =
        serde_json::from_slice(&job::filtered(&job, &verdicts, stamp)).expect("an output is JSON");
    let removed = verdicts.removals().iter().filter(|removal| removal.is_some()).count();
    assert_eq!(people(&output) + removed, received);
    drop(job::report(&job, &verdicts, stamp));
});

/// Recipients in all segments.
fn people(job: &Value) -> usize {
    let segments = job["segments"].as_array().into_iter().flatten();
    segments.map(|segment| segment["recipients"].as_array().map_or(0, Vec::len)).sum()
}
