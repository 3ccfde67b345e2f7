//! Environment variables `SUPPRESSD__SECTION__KEY`, laid over the files.
//!
//! Text stays text: nothing guesses that `00123` is a number. A part of a name finds the key of the files
//! that differs from it only in case and punctuation, so `SUPPRESSD__REGIONS__KZ_79__NAME` is the name of
//! `KZ-79`. Names with one underscore (`SUPPRESSD_PORT`) are not ours: Kubernetes sets such for services.

use config::{Map, Value, ValueKind};

use super::mistake::Mistake;
use super::tree;

/// How the names of our variables begin.
pub(super) const PREFIX: &str = "SUPPRESSD__";

/// The environment of this process; what is not Unicode carries U+FFFD, which [`super::load`] refuses.
pub fn of_this_process() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .map(|(name, text)| (name.to_string_lossy().into_owned(), text.to_string_lossy().into_owned()))
}

/// Lays the variables over a tree; the last of several for one key, by name, wins.
pub(super) fn apply(
    below: &mut Value,
    environment: impl Iterator<Item = (String, String)>,
    mistakes: &mut Vec<Mistake>,
) {
    let mut ours: Vec<_> = environment.filter(|(name, _)| is_ours(name)).collect();
    ours.sort_unstable();
    for (name, text) in ours {
        match path_of(&name).and_then(|path| refuse_not_unicode(&text).map(|()| path)) {
            Ok(path) => set(below, &path, Value::new(Some(&name), text)),
            Err(problem) => {
                mistakes.push(Mistake { origin: name, key: String::new(), problem: problem.to_owned() });
            }
        }
    }
}

fn is_ours(name: &str) -> bool {
    name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

fn path_of(name: &str) -> Result<Vec<String>, &'static str> {
    if name.chars().any(char::is_lowercase) {
        return Err("is not written in capitals; write SUPPRESSD__SECTION__KEY");
    }
    let parts: Vec<String> = name[PREFIX.len()..].split("__").map(str::to_lowercase).collect();
    if parts.iter().any(String::is_empty) {
        return Err("has an empty part in its name; write SUPPRESSD__SECTION__KEY");
    }
    Ok(parts)
}

fn refuse_not_unicode(text: &str) -> Result<(), &'static str> {
    if text.contains(char::REPLACEMENT_CHARACTER) {
        return Err("is not Unicode text; set it again in UTF-8");
    }
    Ok(())
}

fn set(tree: &mut Value, path: &[String], value: Value) {
    let mut node = tree;
    for part in path {
        let table = table_in(node);
        let key = known_key(table, part).unwrap_or_else(|| part.clone());
        node = table.entry(key).or_insert_with(tree::empty);
    }
    *node = value;
}

/// The table at a node; a plain value in its place gives way to it.
fn table_in(node: &mut Value) -> &mut Map<String, Value> {
    if !matches!(node.kind, ValueKind::Table(_)) {
        *node = tree::empty();
    }
    match &mut node.kind {
        ValueKind::Table(table) => table,
        _ => unreachable!("the node was made a table above"),
    }
}

fn known_key(table: &Map<String, Value>, part: &str) -> Option<String> {
    if table.contains_key(part) {
        return None;
    }
    table.keys().filter(|key| plain(key) == plain(part)).min().cloned()
}

fn plain(key: &str) -> String {
    key.to_lowercase().replace(|letter: char| !letter.is_alphanumeric(), "_")
}
