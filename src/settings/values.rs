//! Checks single values: one function a shape, each with its bounds.
//!
//! A problem says what the value must be, never what it is. From a file a number is a number and a text
//! is a text; from a variable both are text, and a list is separated by commas.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use config::{Value, ValueKind};

use super::variables;

/// The longest path of a file.
pub(super) const PATH_BYTES_MAX: usize = 4096;

/// What is wrong with a value: each with its place in it (`[2]`, or nothing).
#[derive(Debug)]
pub(super) struct Problems(pub(super) Vec<(String, String)>);

/// A checked value, or everything that is wrong with it.
pub(super) type Parsed<T> = Result<T, Problems>;

impl<S: Into<String>> From<S> for Problems {
    fn from(problem: S) -> Self {
        Self(vec![(String::new(), problem.into())])
    }
}

/// A text that is not empty, trimmed, on one line.
pub(super) fn text(bytes_max: usize) -> impl Fn(&Value) -> Parsed<String> {
    move |value| {
        let ValueKind::String(text) = &value.kind else {
            return Err("must be a text in quotes".into());
        };
        let text = text.trim();
        if text.is_empty() {
            return Err("is empty".into());
        }
        if text.len() > bytes_max {
            return Err(format!("is too long; at most {bytes_max} bytes").into());
        }
        if text.contains(char::is_control) {
            return Err("contains a line break or another control character".into());
        }
        Ok(text.to_owned())
    }
}

/// A text of letters, digits and the given marks, all of them ASCII.
pub(super) fn name(bytes_max: usize, marks: &'static str) -> impl Fn(&Value) -> Parsed<String> {
    move |value| {
        let text = text(bytes_max)(value)?;
        if text.chars().all(|letter| letter.is_ascii_alphanumeric() || marks.contains(letter)) {
            return Ok(text);
        }
        Err(format!("must consist of the letters A-Z, a-z, digits and `{marks}`").into())
    }
}

/// One of a few words.
pub(super) fn word<T: Copy>(words: &[(&'static str, T)]) -> impl Fn(&Value) -> Parsed<T> {
    move |value| {
        let given = match &value.kind {
            ValueKind::String(text) => text.trim(),
            _ => "",
        };
        let known = words.iter().find(|(word, _)| *word == given);
        known.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let all: Vec<_> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
            format!("must be one of {}", all.join(", ")).into()
        })
    }
}

/// A whole number within bounds.
pub(super) fn whole<T>(range: RangeInclusive<T>) -> impl Fn(&Value) -> Parsed<T>
where
    T: TryFrom<i64> + PartialOrd + std::fmt::Display,
{
    move |value| {
        let number = match &value.kind {
            ValueKind::I64(number) => Some(*number),
            ValueKind::String(text) if is_variable(value) => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.and_then(|number| T::try_from(number).ok());
        number.filter(|number| range.contains(number)).ok_or_else(|| {
            format!("must be a whole number from {} to {}, without quotes", range.start(), range.end()).into()
        })
    }
}

/// A whole number of seconds.
pub(super) fn seconds(range: RangeInclusive<u64>) -> impl Fn(&Value) -> Parsed<Duration> {
    let whole = whole(range);
    move |value| whole(value).map(Duration::from_secs)
}

/// A whole number of hours.
pub(super) fn hours(range: RangeInclusive<u64>) -> impl Fn(&Value) -> Parsed<Duration> {
    let whole = whole(range);
    move |value| whole(value).map(Duration::from_hours)
}

/// A whole number of days of 24 hours.
pub(super) fn days(range: RangeInclusive<u64>) -> impl Fn(&Value) -> Parsed<Duration> {
    let whole = whole(range);
    move |value| whole(value).map(|days: u64| Duration::from_hours(24 * days))
}

/// A file that is there.
pub(super) fn file(value: &Value) -> Parsed<PathBuf> {
    let path = PathBuf::from(text(PATH_BYTES_MAX)(value)?);
    if path.is_file() { Ok(path) } else { Err("must name a file that is there".into()) }
}

/// Yes or no.
pub(super) fn switch(value: &Value) -> Parsed<bool> {
    match &value.kind {
        ValueKind::Boolean(on) => Ok(*on),
        ValueKind::String(text) if is_variable(value) => {
            text.trim().parse().map_err(|_| "must be true or false".into())
        }
        _ => Err("must be true or false, without quotes".into()),
    }
}

/// A whole number of milliseconds.
pub(super) fn milliseconds(range: RangeInclusive<u64>) -> impl Fn(&Value) -> Parsed<Duration> {
    let whole = whole(range);
    move |value| whole(value).map(Duration::from_millis)
}

/// A share of a whole.
pub(super) fn fraction(value: &Value) -> Parsed<f64> {
    let number = match &value.kind {
        ValueKind::Float(number) => Some(*number),
        ValueKind::I64(0) => Some(0.0),
        ValueKind::I64(1) => Some(1.0),
        ValueKind::String(text) if is_variable(value) => text.trim().parse().ok(),
        _ => None,
    };
    let number = number.filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| "must be a number from 0.0 to 1.0, without quotes".into())
}

/// A list, each item checked by itself.
pub(super) fn list<T>(
    length: RangeInclusive<usize>,
    item: impl Fn(&Value) -> Parsed<T>,
) -> impl Fn(&Value) -> Parsed<Vec<T>> {
    move |value| {
        let items = items_of(value).ok_or("must be a list of texts: [\"…\", \"…\"]")?;
        if !length.contains(&items.len()) {
            let (least, most) = (length.start(), length.end());
            return Err(format!("must have {least} to {most} items").into());
        }
        let mut good = Vec::with_capacity(items.len());
        let mut bad = Vec::new();
        for (index, given) in items.iter().enumerate() {
            match item(given) {
                Ok(parsed) => good.push(parsed),
                Err(problems) => {
                    bad.extend(problems.0.into_iter().map(|(at, what)| (format!("[{index}]{at}"), what)));
                }
            }
        }
        if bad.is_empty() { Ok(good) } else { Err(Problems(bad)) }
    }
}

fn items_of(value: &Value) -> Option<Vec<Value>> {
    match &value.kind {
        ValueKind::Array(items) => Some(items.clone()),
        ValueKind::String(text) if is_variable(value) => {
            let origin = value.origin().map(str::to_owned);
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Some(items.map(|item| Value::new(origin.as_ref(), item)).collect())
        }
        _ => None,
    }
}

fn is_variable(value: &Value) -> bool {
    value.origin().is_some_and(|origin| origin.starts_with(variables::PREFIX))
}
