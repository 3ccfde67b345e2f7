//! Reads a tree of values section by section and notes every mistake, instead of stopping at the first.
//!
//! A key exists because somebody takes it; what is left when a section has been read is unknown and
//! refused. That is the whole schema, so it cannot drift from the code.

use std::collections::{BTreeMap, BTreeSet};

use config::{Value, ValueKind};

use super::mistake::Mistake;
use super::values::Parsed;

/// The origin of what is set nowhere.
const NOWHERE: &str = "configuration";

/// What reading brings to light.
#[derive(Default)]
pub(super) struct Notes {
    /// Everything that is wrong.
    pub mistakes: Vec<Mistake>,
    /// Whether a file could not be read, so that nothing can be called missing.
    pub incomplete: bool,
    /// The path of every key that was asked for.
    pub asked: BTreeSet<String>,
    /// Where each section and key that is there is set.
    origins: BTreeMap<String, String>,
}

/// One table while it is read.
pub(super) struct Section<'n> {
    path: String,
    values: BTreeMap<String, Value>,
    /// Whether it stands for something that is not a table: one mistake about it is enough.
    broken: bool,
    notes: &'n mut Notes,
}

/// Reads a whole tree.
pub(super) fn read<T>(tree: Value, notes: &mut Notes, take: impl FnOnce(&mut Section<'_>) -> T) -> T {
    let (values, broken) = entries(tree);
    let mut root = Section { path: String::new(), values, broken, notes };
    let taken = take(&mut root);
    root.refuse_the_rest();
    taken
}

impl Section<'_> {
    /// The value of a key, if it is there and right.
    pub(super) fn take<T>(&mut self, key: &str, parse: impl FnOnce(&Value) -> Parsed<T>) -> Option<T> {
        self.notes.asked.insert(joined(&self.path, key));
        let value = self.remove(key)?;
        match parse(&value) {
            Ok(parsed) => Some(parsed),
            Err(problems) => {
                for (place, problem) in problems.0 {
                    self.refuse(&[key], &place, problem);
                }
                None
            }
        }
    }

    /// The value of a key, or what holds when it is left out.
    pub(super) fn or<T>(
        &mut self,
        key: &str,
        default: impl Into<T>,
        parse: impl FnOnce(&Value) -> Parsed<T>,
    ) -> T {
        self.take(key, parse).unwrap_or_else(|| default.into())
    }

    /// The value of a key that must be there; `example` shows how to write it.
    pub(super) fn require<T>(
        &mut self,
        key: &str,
        example: &str,
        parse: impl FnOnce(&Value) -> Parsed<T>,
    ) -> Option<T> {
        if !self.has(key) {
            self.missing(&[key], format!("is missing; set it, for example {example}"));
        }
        self.take(key, parse)
    }

    /// Reads the section of this name, which may be absent.
    pub(super) fn section<T>(&mut self, key: &str, take: impl FnOnce(&mut Section<'_>) -> T) -> T {
        let (values, broken) = match self.remove(key) {
            None => (BTreeMap::new(), self.broken),
            Some(value) => entries(value),
        };
        if broken && !self.broken {
            self.refuse(&[key], "", "is a section, not a value; set the keys in it");
        }
        let path = joined(&self.path, key);
        let mut child = Section { path, values, broken, notes: self.notes };
        let taken = take(&mut child);
        child.refuse_the_rest();
        taken
    }

    /// Whether there is such a section or key, right or wrong.
    pub(super) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// Reads the section of this name if it is there.
    pub(super) fn optional<T>(&mut self, key: &str, take: impl FnOnce(&mut Section<'_>) -> T) -> Option<T> {
        self.values.contains_key(key).then(|| self.section(key, take))
    }

    /// Leaves everything unread that nobody took.
    pub(super) fn pass_over_the_rest(&mut self) {
        self.values.clear();
    }

    /// Leaves a section or key unread, whatever it holds. Answers whether it was there.
    pub(super) fn pass_over(&mut self, key: &str) -> bool {
        self.values.remove(key).is_some()
    }

    /// Reads every section within the section of this name, in the order of their names.
    pub(super) fn sections<T>(
        &mut self,
        key: &str,
        mut take: impl FnMut(&str, &mut Section<'_>) -> T,
    ) -> Vec<T> {
        self.section(key, |section| {
            let names: Vec<String> = section.values.keys().cloned().collect();
            if names.is_empty() {
                section.missing(&[], "is missing; the configuration needs at least one");
            }
            names.iter().map(|name| section.section(name, |child| take(name, child))).collect()
        })
    }

    /// Notes a mistake about what was read before: the key at the end of a path that begins in this
    /// section (the section itself, if there is none), and the place within its value.
    pub(super) fn refuse(&mut self, keys: &[&str], place: &str, problem: impl Into<String>) {
        let path = keys.iter().fold(self.path.clone(), |path, key| joined(&path, key));
        let origin = self.notes.origins.get(&path).map_or(NOWHERE, String::as_str).to_owned();
        self.notes.mistakes.push(Mistake { origin, key: path + place, problem: problem.into() });
    }

    fn missing(&mut self, keys: &[&str], problem: impl Into<String>) {
        if !self.broken && !self.notes.incomplete {
            self.refuse(keys, "", problem);
        }
    }

    fn remove(&mut self, key: &str) -> Option<Value> {
        let value = self.values.remove(key)?;
        self.notes.origins.insert(joined(&self.path, key), origin_of(&value));
        Some(value)
    }

    fn refuse_the_rest(&mut self) {
        while let Some(key) = self.values.keys().next().cloned() {
            self.remove(&key);
            self.refuse(&[&key], "", "is not a key that suppressd knows; correct or remove it");
        }
    }
}

/// A path with one more key, as TOML writes it: quoted where it must be.
fn joined(path: &str, key: &str) -> String {
    let bare = key.chars().all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '-');
    let key = if bare && !key.is_empty() { key.to_owned() } else { format!("{key:?}") };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

fn entries(value: Value) -> (BTreeMap<String, Value>, bool) {
    match value.kind {
        ValueKind::Table(table) => (table.into_iter().collect(), false),
        _ => (BTreeMap::new(), true),
    }
}

/// Where a value is from. A table that a variable made has no origin of its own: that of its first value.
fn origin_of(value: &Value) -> String {
    let inner = match &value.kind {
        ValueKind::Table(table) => {
            let sorted: BTreeMap<_, _> = table.iter().collect();
            sorted.values().next().map(|value| origin_of(value))
        }
        _ => None,
    };
    value.origin().map(str::to_owned).or(inner).unwrap_or_else(|| NOWHERE.to_owned())
}
