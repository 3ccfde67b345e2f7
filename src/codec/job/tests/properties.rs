//! The splice against a naive filter over a JSON tree, on documents in any dress.

use std::fmt::Write;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// How a generated document is written down: white space and escapes, taken in turn.
struct Dress<'d> {
    dice: std::iter::Cycle<std::slice::Iter<'d, u8>>,
}

impl Dress<'_> {
    fn space(&mut self, out: &mut String) {
        out.push_str(["", "", " ", "\n  ", "\t\r\n"][usize::from(self.dice.next().unwrap() % 5)]);
    }

    fn string(&mut self, text: &str, out: &mut String) {
        out.push('"');
        for c in text.chars() {
            let plain = !matches!(c, '"' | '\\' | '\0'..='\x1f');
            if plain && !self.dice.next().unwrap().is_multiple_of(8) {
                out.push(c);
            } else {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    write!(out, "\\u{unit:04x}").unwrap();
                }
            }
        }
        out.push('"');
    }

    fn write(&mut self, value: &Value, out: &mut String) {
        self.space(out);
        match value {
            Value::String(text) => self.string(text, out),
            Value::Array(items) => {
                self.list(out, ['[', ']'], items, Dress::write);
            }
            Value::Object(members) => self.list(out, ['{', '}'], members, |dress, (name, value), out| {
                dress.space(out);
                dress.string(name, out);
                dress.space(out);
                out.push(':');
                dress.write(value, out);
            }),
            scalar => *out += &scalar.to_string(),
        }
        self.space(out);
    }

    fn list<T>(
        &mut self,
        out: &mut String,
        [open, close]: [char; 2],
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T, &mut String),
    ) {
        out.push(open);
        self.space(out);
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            write(self, item, out);
        }
        self.space(out);
        out.push(close);
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1000_i32..1000).prop_map(|n| json!(f64::from(n) / 8.0)),
        "[a-zё\"\\\\{}\\[\\],: \n😀]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z\"😀]{0,3}", inner, 0..3).prop_map(|map| json!(map)),
        ]
    })
}

fn own_members() -> impl Strategy<Value = Value> {
    prop::collection::btree_map("[a-z]{0,2}|vars|suppression_|Phone", any_value(), 0..3)
        .prop_map(|map| json!(map))
}

fn merged(mut base: Value, extra: Value) -> Value {
    if let (Some(base), Value::Object(extra)) = (base.as_object_mut(), extra) {
        base.extend(extra);
    }
    base
}

fn recipient() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just(json!("hold")),
        Just(json!("opt_out")),
        Just(json!("bad")),
        Just(json!("")),
        Just(json!("U-1")),
        Just(json!(17)),
        any_value(),
    ];
    let named = prop::collection::btree_map("user_id|email|phone", word, 0..4);
    (named, own_members()).prop_map(|(named, own)| merged(json!(named), own))
}

fn document() -> impl Strategy<Value = Value> {
    let region = prop_oneof![Just("KZ-79"), Just("SHY"), Just("Шымкент"), Just("KZ-75")];
    let recipients = prop::collection::vec(recipient(), 0..8);
    let segment = (region, recipients, own_members()).prop_map(|(region, recipients, own)| {
        merged(json!({"region": region, "recipients": recipients}), own)
    });
    let purpose = prop::sample::select(Purpose::ALL);
    let channel = prop::sample::select(Channel::ALL);
    let old = prop::option::of(any_value());
    (prop::collection::vec(segment, 0..4), own_members(), purpose, channel, old).prop_map(
        |(segments, own, purpose, channel, old)| {
            let fixed = json!({
                "job_id": "j", "campaign_id": "c", "channel": channel.as_str(), "brand": "lulla.kz",
                "purpose": purpose.as_str(), "segments": segments,
            });
            let old = old.map_or(json!({}), |old| json!({"suppression": old}));
            merged(merged(fixed, own), old)
        },
    )
}

/// Why a recipient is removed, said as plainly as possible.
fn naive_removal(recipient: &Value, channel: &str, purpose: &str) -> Option<&'static str> {
    let text = |name: &str| match &recipient[name] {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(Ok(text.clone())),
        Value::Number(number) if !number.is_f64() => Some(Ok(number.to_string())),
        _ => Some(Err(())),
    };
    let usable = |name: &str| text(name).map(|text| text.is_ok_and(|text| !text.starts_with("bad")));
    let own = if channel == "email" { "email" } else { "phone" };
    let nobody = ["user_id", "email", "phone"].iter().all(|name| usable(name) != Some(true));
    let unidentifiable = nobody || usable(own) == Some(false);
    let user = text("user_id").and_then(Result::ok).unwrap_or_default();
    match (&*user, purpose) {
        (_, "legal_notice") => None,
        ("hold", _) => Some("hold"),
        ("opt_out", "marketing") => Some("opt_out"),
        _ => unidentifiable.then_some("unidentifiable"),
    }
}

fn naive_filter(mut document: Value) -> Value {
    let (channel, purpose) = (document["channel"].clone(), document["purpose"].clone());
    let (channel, purpose) = (channel.as_str().unwrap(), purpose.as_str().unwrap());
    let mut outcomes = vec![];
    for segment in document["segments"].as_array_mut().unwrap() {
        let mut removed = json!({"opt_out": 0, "hold": 0, "complaint": 0, "bounce": 0, "unidentifiable": 0});
        let recipients = segment["recipients"].as_array_mut().unwrap();
        let received = recipients.len();
        recipients.retain(|recipient| {
            let removal = naive_removal(recipient, channel, purpose);
            if let Some(reason) = removal {
                removed[reason] = json!(removed[reason].as_u64().unwrap() + 1);
            }
            removal.is_none()
        });
        let kept = recipients.len();
        outcomes.push(
            json!({"region": segment["region"], "received": received, "kept": kept, "removed": removed}),
        );
    }
    document["suppression"] =
        json!({"revision": 18231, "filtered_at": "2027-03-19T05:00:00Z", "segments": outcomes});
    document
}

fn written(document: &Value, dice: &[u8]) -> String {
    let mut text = String::new();
    Dress { dice: dice.iter().cycle() }.write(document, &mut text);
    text
}

fn dice() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..64)
}

/// Everything that is done to a body, whatever it is.
fn never_panics(body: &[u8]) {
    if let Ok(job) = decode(body, &JobLimits::default(), &Configured) {
        let verdicts = verdicts(&job);
        let output = filtered(&job, &verdicts, stamp());
        assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&output).is_ok(), "the output is JSON");
        report(&job, &verdicts, stamp());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_splice_equals_a_naive_filter_over_the_tree(document in document(), dice in dice()) {
        let body = written(&document, &dice);
        prop_assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), document.clone());
        let output: Value = serde_json::from_str(&filter(&body)).unwrap();
        prop_assert_eq!(output, naive_filter(document));
    }

    #[test]
    fn kept_recipients_are_byte_identical_and_in_order(document in document(), dice in dice()) {
        let body = written(&document, &dice);
        let job = read(&body).unwrap();
        let verdicts = verdicts(&job);
        let kept: Vec<_> = job.recipients().zip(verdicts.removals()).filter(|(_, r)| r.is_none()).collect();
        let output = filtered(&job, &verdicts, stamp());
        let again = decode(&output, &JobLimits::default(), &Configured).unwrap();
        prop_assert_eq!(again.recipients().collect::<Vec<_>>(), kept.iter().map(|(t, _)| *t).collect::<Vec<_>>());
        prop_assert_eq!(verdicts.tallies().iter().map(|t| t.kept).sum::<u64>(), kept.len() as u64);
        prop_assert_eq!(verdicts.tallies().iter().map(|t| t.received).sum::<u64>(), job.recipients_len() as u64);
    }

    #[test]
    fn a_job_that_is_filtered_twice_only_has_new_sums(document in document(), dice in dice()) {
        let mut once: Value = serde_json::from_str(&filter(&written(&document, &dice))).unwrap();
        let twice: Value = serde_json::from_str(&filter(&once.to_string())).unwrap();
        for outcome in once["suppression"]["segments"].as_array_mut().unwrap() {
            outcome["received"] = outcome["kept"].clone();
            outcome["removed"] =
                json!({"opt_out": 0, "hold": 0, "complaint": 0, "bounce": 0, "unidentifiable": 0});
        }
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn arbitrary_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        never_panics(&body);
    }

    #[test]
    fn a_damaged_job_never_panics(
        document in document(), dice in dice(), at in any::<prop::sample::Index>(), with in any::<[u8; 2]>(),
        cut in 0_usize..12,
    ) {
        let mut body = written(&document, &dice).into_bytes();
        let start = at.index(body.len());
        let end = (start + cut).min(body.len());
        body.splice(start..end, [with[0], b"{}[],:\"\\u0 e"[usize::from(with[1]) % 12]]);
        never_panics(&body);
    }
}
