//! The laws of the canonical bytes: equal for equal values in any dress, and for no others.

use std::fmt::Write;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// How a value is written down: white space, escapes, the order of members, the form of numbers.
struct Dress<'d> {
    dice: std::iter::Cycle<std::slice::Iter<'d, u8>>,
}

impl Dress<'_> {
    fn write(value: &Value, dice: &[u8]) -> String {
        let mut text = String::new();
        Dress { dice: dice.iter().cycle() }.value(value, &mut text);
        text
    }

    fn roll(&mut self, sides: u8) -> u8 {
        self.dice.next().unwrap() % sides
    }

    fn space(&mut self, out: &mut String) {
        out.push_str(["", "", " ", "\n  ", "\t\r\n"][usize::from(self.roll(5))]);
    }

    fn string(&mut self, text: &str, out: &mut String) {
        out.push('"');
        for c in text.chars() {
            let plain = !matches!(c, '"' | '\\' | '\0'..='\x1f');
            if plain && self.roll(4) != 0 {
                out.push(c);
            } else {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    write!(out, "\\u{unit:04X}").unwrap();
                }
            }
        }
        out.push('"');
    }

    fn number(&mut self, number: &serde_json::Number, out: &mut String) {
        let whole = number.is_i64();
        match self.roll(4) {
            0 if whole => write!(out, "{number}.0").unwrap(),
            1 if whole => write!(out, "{number}.00e0").unwrap(),
            2 => write!(out, "{number}E+0").unwrap(),
            _ => write!(out, "{number}").unwrap(),
        }
    }

    fn value(&mut self, value: &Value, out: &mut String) {
        self.space(out);
        match value {
            Value::String(text) => self.string(text, out),
            Value::Number(number) => self.number(number, out),
            Value::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    self.value(item, out);
                }
                out.push(']');
            }
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                let middle = usize::from(self.roll(7)) % members.len().max(1);
                members.rotate_left(middle);
                out.push('{');
                for (index, (name, item)) in members.into_iter().enumerate() {
                    out.push_str(if index > 0 { " ," } else { "" });
                    self.space(out);
                    self.string(name, out);
                    self.space(out);
                    out.push(':');
                    self.value(item, out);
                }
                out.push('}');
            }
            scalar => out.push_str(&scalar.to_string()),
        }
        self.space(out);
    }
}

/// No two of these that differ for `serde_json` are one value.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-3_i64..3).prop_map(Value::from),
        (-1000_i32..1000).prop_map(|n| json!(f64::from(2 * n + 1) / 8.0)),
        "[a-zё\"\\\\{}\\[\\],:#;1 \n\0😀]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z\":😀]{0,3}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

fn canonical(text: &str) -> Vec<u8> {
    let read = Tree::read(text.as_bytes());
    read.unwrap_or_else(|fault| panic!("{text}: {fault}")).canonical()
}

proptest! {
    #[test]
    fn one_value_in_any_dress_has_the_same_canonical_bytes(
        value in any_value(), dice in prop::collection::vec(any::<u8>(), 1..40)
    ) {
        prop_assert_eq!(canonical(&Dress::write(&value, &dice)), canonical(&value.to_string()));
    }

    #[test]
    fn different_values_have_different_canonical_bytes(a in any_value(), b in any_value()) {
        prop_assert_eq!(a == b, canonical(&a.to_string()) == canonical(&b.to_string()));
    }

    #[test]
    fn any_bytes_are_read_or_refused_without_a_panic(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..60),
            "[\\[\\]{}\":,\\\\ue0-9.dDtruefalsn é-]{0,60}".prop_map(String::into_bytes),
        ]
    ) {
        let read = Tree::read(&bytes);
        let valid = std::str::from_utf8(&bytes)
            .is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok());
        prop_assert_eq!(read.is_ok(), valid, "sixty bytes are never too deep");
        if let Ok(tree) = read {
            tree.canonical();
        }
    }
}

#[test]
fn values_that_look_alike_are_told_apart() {
    let values = [
        "null",
        "\"null\"",
        "\"n\"",
        "[]",
        "{}",
        "[[]]",
        "[null]",
        "[{}]",
        "\"\"",
        "[\"\"]",
        "[\"\",\"\"]",
        "\"1\"",
        "1",
        "-1",
        "true",
        "\"true\"",
        "[\"a,b\"]",
        "[\"a\",\"b\"]",
        "{\"a\":1}",
        "{\"a\":\"1\"}",
        "{\"a\":1,\"b\":null}",
        "{\"a\":{\"b\":1}}",
        "[1,2]",
        "[2,1]",
        "[12]",
        "\"\\u0000\"",
        "\"0\"",
        "\"é\"",
        "\"e\\u0301\"",
        "\"\\ud800\"",
        "\"\\udfff\"",
        "\"\\\\ud800\"",
        "\"\u{fffd}\"",
        "{\"a\":1,\"a\":2}",
        "{\"a\":2,\"a\":1}",
        "{\"a\":2}",
        "9007199254740993",
        "9007199254740992",
        "123456789012345678901234567890",
        "123456789012345678901234567891",
        "1e400",
        "1e401",
    ];
    for (index, value) in values.iter().enumerate() {
        for other in &values[..index] {
            assert_ne!(canonical(value), canonical(other), "{value} {other}");
        }
    }
}

#[test]
fn what_is_written_in_two_ways_is_one_value() {
    for (one, other) in [
        ("\"\\u00e9\"", "\"é\""),
        ("\"\\ud83d\\ude00\"", "\"😀\""),
        ("\"\\/\\n\\t\"", "\"/\\u000a\\u0009\""),
        ("\"\\uD800x\"", "\"\\ud800\\u0078\""),
        ("{\"a\":1,\"b\":[2]}", " { \"\\u0062\" : [ 2.0 ] ,\r\n \"a\" : 10e-1 } "),
        ("-0", "0.00"),
    ] {
        assert_eq!(canonical(one), canonical(other), "{one}");
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(Tree::read(nested(NESTING_LEVELS_MAX).as_bytes()).is_ok());
    for levels in [NESTING_LEVELS_MAX + 1, 100_000] {
        let fault = Tree::read(nested(levels).as_bytes()).err().unwrap();
        assert_eq!(fault.reason, DeadReason::BadSchema);
    }
    let objects = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    assert_eq!(Tree::read(objects.as_bytes()).err().unwrap().reason, DeadReason::BadSchema);
}

#[test]
fn what_is_not_json_is_refused_without_being_repeated() {
    let cut = "{\"a\":[1,\"é\"]}";
    for end in (0..cut.len()).filter(|end| cut.is_char_boundary(*end)) {
        assert_eq!(Tree::read(&cut.as_bytes()[..end]).err().unwrap().reason, DeadReason::BadJson);
    }
    for body in ["CANARY", "\u{feff}{}", "{} {}", "[01]", "[1,]", "'CANARY'", "\"\\x\"", "NaN", "{CANARY:1}"]
    {
        let fault = Tree::read(body.as_bytes()).err().unwrap();
        assert_eq!(fault.reason, DeadReason::BadJson, "{body}");
        assert!(!fault.detail.contains("CANARY"), "{fault}");
    }
    let fault = Tree::read(b"{\"a\":\"\xff\"}").err().unwrap();
    assert_eq!(fault.detail, "the body is not UTF-8 (at byte 6)");
}
