//! Configuration files as one tree of values, each of which knows the file that it is from.
//!
//! Tables are merged key by key, everything else is replaced by the later file: a list from two files is
//! the later one, not both. Nothing here knows which keys there are. A syntax error shows no line of the
//! file, because that line may hold a password.

use std::io::Read;
use std::path::Path;

use config::{File, FileFormat, Map, Source, Value, ValueKind};

use super::mistake::Mistake;

/// Far above what any list of regions needs.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A tree without any value.
pub(super) fn empty() -> Value {
    Value::new(None, Map::<String, Value>::new())
}

/// Reads one file.
pub(super) fn read(path: &Path) -> Result<Value, Mistake> {
    let origin = path.display().to_string();
    match text_of(path) {
        Ok(text) => parse(&text, &origin),
        Err(problem) => Err(Mistake { origin, key: String::new(), problem }),
    }
}

/// Reads a text that comes from `origin`.
pub(super) fn parse(text: &str, origin: &str) -> Result<Value, Mistake> {
    let origin = origin.to_owned();
    match File::from_str(text, FileFormat::Toml).collect() {
        Ok(table) => Ok(stamped(Value::new(None, table), &origin)),
        Err(fault) => Err(Mistake { origin, key: String::new(), problem: syntax_problem(&fault) }),
    }
}

/// Lays one tree over another.
pub(super) fn overlay(below: &mut Value, above: Value) {
    let origin = above.origin().map(str::to_owned);
    match (&mut below.kind, above.kind) {
        (ValueKind::Table(below), ValueKind::Table(above)) => {
            for (key, value) in above {
                match below.get_mut(&key) {
                    Some(known) => overlay(known, value),
                    None => drop(below.insert(key, value)),
                }
            }
        }
        (_, kind) => *below = Value::new(origin.as_ref(), kind),
    }
}

fn text_of(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|fault| format!("cannot be read: {fault}"))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > FILE_BYTES_MAX) {
        return Err(format!("is larger than {FILE_BYTES_MAX} bytes; that is no configuration file"));
    }
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8 text; save it as UTF-8")?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}

/// Position and rule from the parser's report, whose lines between the first and the last quote the file.
fn syntax_problem(fault: &config::ConfigError) -> String {
    let config::ConfigError::FileParse { cause, .. } = fault else {
        return "is not valid TOML".to_owned();
    };
    let report = cause.to_string();
    let mut lines = report.lines().filter(|line| !line.trim().is_empty());
    let (first, last) = (lines.next().unwrap_or_default(), lines.next_back());
    match (first.strip_prefix("TOML parse error "), last) {
        (Some(position), Some(rule)) => format!("is not valid TOML {position}: {rule}"),
        (Some(position), None) => format!("is not valid TOML {position}"),
        // Not the parser's report: a number that does not fit, without a position.
        (None, _) => "is not valid TOML: a number is out of range".to_owned(),
    }
}

fn stamped(value: Value, origin: &String) -> Value {
    let kind = match value.kind {
        ValueKind::Table(table) => {
            ValueKind::Table(table.into_iter().map(|(key, value)| (key, stamped(value, origin))).collect())
        }
        ValueKind::Array(items) => {
            ValueKind::Array(items.into_iter().map(|item| stamped(item, origin)).collect())
        }
        plain => plain,
    };
    Value::new(Some(origin), kind)
}
