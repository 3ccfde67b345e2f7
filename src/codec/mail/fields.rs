//! The header of a mail or of one of its parts, as raw fields.
//!
//! Real headers are broken in every way: a missing empty line, folded lines without their space, raw 8-bit
//! text, mailbox lines. So a field is only ever found or not, never an error. Fields that mean nothing here are
//! not even kept: a mail may carry thousands of them.

use super::limits::Limits;

/// The fields that are kept; names in lower case.
const KEPT: &[&str] = &[
    "auto-submitted",
    "authentication-results",
    "content-disposition",
    "content-transfer-encoding",
    "content-type",
    "date",
    "from",
    "message-id",
    "reply-to",
    "return-path",
    "subject",
    "to",
    "x-autoreply",
    "x-autorespond",
];

const NAME_BYTES_MAX: usize = 76;

/// The fields of one header, in their order.
#[derive(Default)]
pub(super) struct Fields {
    kept: Vec<(&'static str, Vec<u8>)>,
    /// Whether anything looked like a field at all.
    pub(super) any: bool,
    /// Whether a limit cut something off.
    pub(super) cut: bool,
}

impl Fields {
    /// Reads the header at the beginning of `bytes`; also says where the body begins.
    pub(super) fn take(bytes: &[u8], limits: &Limits) -> (Self, usize) {
        let mut fields = Self::default();
        let mut open = false;
        let mut at = blank_before(bytes);
        while at < bytes.len() {
            let end = line_end(bytes, at);
            let line = trim_line(&bytes[at..end]);
            if line.is_empty() {
                at = end;
                break;
            }
            if at > limits.header_bytes_max {
                // The body, should there be one, is not found any more.
                fields.cut = true;
                at = bytes.len();
                break;
            }
            if line[0] == b' ' || line[0] == b'\t' {
                if open {
                    fields.fold(line, limits);
                }
            } else if let Some((name, value)) = field(line) {
                fields.any = true;
                open = fields.begin(name, value, limits);
            } else if line.starts_with(b"--") || !may_go_on(bytes, end) {
                // No empty line before the body.
                break;
            }
            at = end;
        }
        (fields, at.min(bytes.len()))
    }

    /// Begins a field; says whether it is kept and may be continued.
    fn begin(&mut self, name: &[u8], value: &[u8], limits: &Limits) -> bool {
        let Some(name) = KEPT.iter().find(|kept| name.eq_ignore_ascii_case(kept.as_bytes())) else {
            return false;
        };
        if self.kept.len() >= limits.fields_max {
            self.cut = true;
            return false;
        }
        self.kept.push((name, Vec::new()));
        self.fold(value, limits);
        true
    }

    fn fold(&mut self, line: &[u8], limits: &Limits) {
        let Some((_, value)) = self.kept.last_mut() else { return };
        let room = limits.field_bytes_max.saturating_sub(value.len());
        if line.len() > room {
            self.cut = true;
        }
        value.extend(&line[..line.len().min(room)]);
    }

    /// The first field of this name.
    pub(super) fn first(&self, name: &'static str) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// All fields of this name, from the top.
    pub(super) fn all(&self, name: &'static str) -> impl Iterator<Item = &[u8]> {
        self.kept.iter().filter(move |(kept, _)| *kept == name).map(|(_, value)| value.trim_ascii())
    }
}

/// Skips what some servers and archives put before the first field: empty lines and mbox's `From ` line.
fn blank_before(bytes: &[u8]) -> usize {
    let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    if bytes[blank..].starts_with(b"From ") { line_end(bytes, blank) } else { blank }
}

/// Splits `Name: value`.
fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().take(NAME_BYTES_MAX + 1).position(|&byte| byte == b':')?;
    let name = line[..colon].trim_ascii_end();
    let named = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    named.then_some((name, &line[colon + 1..]))
}

/// Whether a header goes on after a line that is no field: then that was a badly folded one.
fn may_go_on(bytes: &[u8], at: usize) -> bool {
    let line = trim_line(&bytes[at..line_end(bytes, at)]);
    field(line).is_some_and(|(name, _)| KEPT.iter().any(|kept| name.eq_ignore_ascii_case(kept.as_bytes())))
}

/// Where the line that begins at `at` ends, its line feed included.
pub(super) fn line_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at.min(bytes.len())..];
    rest.iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |length| at + length + 1)
}

/// A line without its end.
pub(super) fn trim_line(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}
