//! Reports of mail systems: what could not be delivered (RFC 3464), and who called our mail spam (RFC 5965).
//!
//! Programs write both carelessly, so the machine's part counts wherever it lies in the mail, and a group of
//! fields is read even if its empty line is missing. Only what is said for certain is taken: an address fails
//! if the action is `failed` and the status begins with 5.

use super::fields::{Fields, line_end, trim_line};
use super::limits::Limits;
use super::tree::Tree;
use crate::domain::mail::letter::Report;

/// Fields of a machine's part that are looked at.
const LINES_MAX: usize = 4096;

/// Reads the report that a mail is, if it is one.
pub(super) fn read(tree: &Tree<'_>, limits: &Limits) -> Option<Report> {
    let find = |sub: &str| tree.parts.iter().find(|part| part.is("message", sub));
    let announced = tree.parts.first()?.is("multipart", "report");
    let kind = tree.parts.first()?.content.parameter("report-type").unwrap_or_default().to_ascii_lowercase();
    if let Some(part) = find("feedback-report") {
        return Some(feedback(&fields(&part.bytes()), tree, limits));
    }
    if let Some(part) = find("delivery-status").or_else(|| find("global-delivery-status")) {
        return Some(Report::Delivery { failed: failed(&fields(&part.bytes()), limits) });
    }
    if kind == "delivery-status" {
        return Some(Report::Delivery { failed: Vec::new() });
    }
    (announced || find("disposition-notification").is_some()).then_some(Report::Other)
}

/// A field of a machine's part; an empty line has an empty name.
type Field = (String, String);

fn fields(bytes: &[u8]) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    let mut at = 0;
    while at < bytes.len() && fields.len() < LINES_MAX {
        let end = line_end(bytes, at);
        let line = String::from_utf8_lossy(trim_line(&bytes[at..end])).into_owned();
        at = end;
        if line.trim().is_empty() {
            fields.push((String::new(), String::new()));
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    fields
}

/// What is said of one recipient.
#[derive(Default)]
struct Recipient {
    addresses: Vec<String>,
    is_final_known: bool,
    failed: bool,
    status: Option<String>,
    diagnostic: Option<String>,
}

impl Recipient {
    fn take(&mut self, name: &str, value: &str) {
        match name {
            "final-recipient" | "original-recipient" => {
                self.is_final_known |= name == "final-recipient";
                let address = typed_address(value).filter(|address| !self.addresses.contains(address));
                self.addresses.extend(address);
            }
            "action" => self.failed = first_word(value).eq_ignore_ascii_case("failed"),
            "status" => self.status = Some(first_word(value).to_owned()),
            "diagnostic-code" => self.diagnostic = Some(value.to_owned()),
            _ => (),
        }
    }

    /// Whether this will fail again tomorrow. Without a status the other server's answer tells.
    fn is_permanent(&self) -> bool {
        let class = self.status.as_deref().filter(|status| status.starts_with(|c: char| c.is_ascii_digit()));
        let permanent = match class {
            Some(status) => status.starts_with("5."),
            None => self.diagnostic.as_deref().is_some_and(answers_for_good),
        };
        self.failed && permanent
    }
}

/// `smtp; 550 5.1.1 unknown user`.
fn answers_for_good(diagnostic: &str) -> bool {
    let answer = diagnostic.split_once(';').map_or(diagnostic, |(_, answer)| answer).trim();
    let code: String = answer.chars().take(3).collect();
    code.len() == 3 && code.starts_with('5') && code.chars().all(|c| c.is_ascii_digit())
}

fn failed(fields: &[Field], limits: &Limits) -> Vec<String> {
    let mut failed: Vec<String> = Vec::new();
    let mut recipient = Recipient::default();
    let mut settle = |recipient: &mut Recipient| {
        let settled = std::mem::take(recipient);
        if settled.is_permanent() {
            keep(&mut failed, settled.addresses, limits);
        }
    };
    for (name, value) in fields {
        let begins_next = name == "final-recipient" && recipient.is_final_known;
        if name.is_empty() || begins_next {
            settle(&mut recipient);
        }
        recipient.take(name, value);
    }
    settle(&mut recipient);
    failed
}

/// What a feedback report says, and whom it is about.
fn feedback(fields: &[Field], tree: &Tree<'_>, limits: &Limits) -> Report {
    let of = |wanted: &'static str| {
        fields.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| value.as_str())
    };
    let kind = of("feedback-type").next().map(|kind| first_word(kind).to_ascii_lowercase());
    // Neither says that somebody disliked our mail.
    if matches!(kind.as_deref(), Some("not-spam" | "auth-failure" | "dmarc")) {
        return Report::Other;
    }
    let mut complained = Vec::new();
    keep(&mut complained, of("original-rcpt-to").filter_map(typed_address), limits);
    if complained.is_empty() {
        keep(&mut complained, of("removal-recipient").filter_map(typed_address), limits);
    }
    if complained.is_empty() {
        keep(&mut complained, recipients_of_original(tree, limits), limits);
    }
    Report::Abuse { complained }
}

/// The `To` of the mail that the report is about.
fn recipients_of_original(tree: &Tree<'_>, limits: &Limits) -> Vec<String> {
    let original = tree.parts.iter().find(|part| {
        part.is("message", "rfc822") || part.is("message", "global") || part.is("text", "rfc822-headers")
    });
    let Some(original) = original else { return Vec::new() };
    let (fields, _) = Fields::take(&original.bytes(), limits);
    super::addresses(&fields, "to", limits)
}

fn keep(list: &mut Vec<String>, addresses: impl IntoIterator<Item = String>, limits: &Limits) {
    for address in addresses {
        if list.len() < limits.addresses_max && !list.contains(&address) {
            list.push(address);
        }
    }
}

/// `rfc822; a@b.kz`, `<a@b.kz>`; of other address types nothing.
fn typed_address(value: &str) -> Option<String> {
    let (kind, address) = value.split_once(';').unwrap_or(("rfc822", value));
    let kind = kind.trim();
    let is_mail = ["rfc822", "utf-8"].iter().any(|known| kind.eq_ignore_ascii_case(known));
    let address = first_word(address).trim_matches(|c| matches!(c, '<' | '>' | '"' | ','));
    let (local, domain) = address.rsplit_once('@')?;
    (is_mail && !local.is_empty() && domain.contains('.')).then(|| address.to_owned())
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}
