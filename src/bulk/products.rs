//! What a line of each product's export means.
//!
//! An unsubscribe refuses everything, as a mail that says so does: the products tell of e-mail because they send
//! nothing else. A bounce is of the address alone, so it holds for e-mail. A person who is on a product's list for
//! another reason than a refusal, a hard bounce or a complaint did not opt out.

use std::borrow::Cow;

use jiff::tz::TimeZone;

use crate::codec::event::Body;
use crate::domain::words::{Channel, EventKind};

use super::fields::{Field, Fields};
use super::moment::moment;
use super::{Content, Format, Said, Saying};

/// The rule that a time breaks.
pub(super) const NO_TIME: &str = "the time: is none that is understood (RFC 3339, seconds of Unix, RFC 2822, 2026-11-22 10:15, 22.11.2026)";

/// The rule that a field breaks whose text cannot be read: what it narrows or names may not be guessed.
const STRANGE: &str = "a field that is no identifier is no text, or not UTF-8";

/// The rule that a line without identifiers breaks.
const NOBODY: &str = "no_identifier: the line names nobody";

/// What is said on one line at most: nobody has more channels than this.
const SAYINGS_MAX: usize = 32;

/// What is said, or why nothing is.
enum Means {
    Says(Vec<(EventKind, Option<Vec<String>>)>),
    Nothing,
    Wrong(&'static str),
}

/// Reads the fields of a line.
pub(super) fn content<'a>(format: Format, mut fields: Fields<'a>, zone: &TimeZone) -> Content<'a> {
    let means = match format {
        Format::Csv | Format::Ndjson => usual(&fields),
        Format::Sendgrid => sendgrid(&fields),
        Format::Ses => ses(&fields),
        Format::Mailgun => mailgun(&fields),
        Format::Mautic => mautic(&fields),
        Format::Listmonk => listmonk(&fields),
    };
    let says = match means {
        Means::Says(says) => says,
        Means::Nothing => return Content::NotAnOptOut,
        Means::Wrong(rule) => return Content::Wrong(rule.into()),
    };
    if fields.strange() {
        return Content::Wrong(STRANGE.into());
    }
    let written = fields.text(Field::At).or_else(|| fields.text(Field::Made));
    let at = match written.map(|text| moment(text, zone)) {
        Some(None) => return Content::Wrong(NO_TIME.into()),
        at => at.flatten(),
    };
    let place = match place(&fields) {
        Ok(place) => place,
        Err(rule) => return Content::Wrong(rule),
    };
    let people = fields.people();
    if people.is_empty() {
        return Content::Wrong(NOBODY.into());
    }
    let sayings = says.into_iter().map(|(kind, channels)| {
        let [regions, written, brands] = place.clone();
        Saying { kind, at, place: [regions, channels.or(written), brands] }
    });
    Content::Said(Said { people, sayings: sayings.collect() })
}

type Place = [Option<Vec<String>>; 3];

/// Regions, channels and brands in the file's words. A cell may hold several.
fn place(fields: &Fields<'_>) -> Result<Place, Cow<'static, str>> {
    if let Some(scope) = fields.text(Field::Scope).filter(|scope| !scope.eq_ignore_ascii_case("all")) {
        let wrong = |rule: String| Cow::Owned(format!("scope: {rule}"));
        let body = Body::parse(scope.as_bytes()).map_err(|fault| wrong(fault.detail))?;
        let wanted = body.scope_alone().map_err(|fault| wrong(fault.detail))?;
        let own =
            |names: Option<Vec<&str>>| names.map(|names| names.into_iter().map(ToOwned::to_owned).collect());
        return Ok([own(wanted.regions), own(wanted.channels), own(wanted.brands)]);
    }
    Ok([Field::Regions, Field::Channels, Field::Brands].map(|field| {
        let names = fields.text(field)?.split(['|', ';', ',']).map(str::trim).filter(|name| !name.is_empty());
        Some(names.map(ToOwned::to_owned).collect()).filter(|names: &Vec<_>| !names.is_empty())
    }))
}

fn says(kind: EventKind) -> Means {
    Means::Says(vec![(kind, None)])
}

/// Of a mail that did not arrive.
fn bounce() -> Means {
    Means::Says(vec![(EventKind::Bounce, Some(vec![Channel::Email.as_str().to_owned()]))])
}

fn usual(fields: &Fields<'_>) -> Means {
    match fields.text(Field::Kind) {
        None => says(EventKind::OptOut),
        Some(word) => EventKind::parse(&word.to_ascii_lowercase())
            .map_or(Means::Wrong("kind: must be opt_out, complaint, bounce or hold"), says),
    }
}

/// Unsubscribes have an address and a time, spam reports an `ip` too, bounces and invalid addresses a `reason`.
fn sendgrid(fields: &Fields<'_>) -> Means {
    let soft = fields.text(Field::Status).is_some_and(|status| status.starts_with('4'));
    match () {
        () if soft => Means::Nothing,
        () if fields.has(Field::Reason) || fields.has(Field::Status) => bounce(),
        () if fields.has(Field::Ip) => says(EventKind::Complaint),
        () => says(EventKind::OptOut),
    }
}

fn ses(fields: &Fields<'_>) -> Means {
    match fields.text(Field::Reason).map(str::to_ascii_uppercase).as_deref() {
        Some("BOUNCE") => bounce(),
        Some("COMPLAINT") => says(EventKind::Complaint),
        _ => Means::Wrong("Reason: must be BOUNCE or COMPLAINT"),
    }
}

/// Bounces have a code, unsubscribes have tags, complaints neither. Whoever unsubscribed from one tag is taken to
/// have refused everything: no tag is a brand of ours.
fn mailgun(fields: &Fields<'_>) -> Means {
    match () {
        () if fields.has(Field::Code) || fields.has(Field::Reason) => bounce(),
        () if fields.has(Field::Tags) => says(EventKind::OptOut),
        () => says(EventKind::Complaint),
    }
}

fn listmonk(fields: &Fields<'_>) -> Means {
    if fields.has(Field::Hardness) {
        return match fields.text(Field::Hardness) {
            Some("hard") => bounce(),
            Some("complaint") => says(EventKind::Complaint),
            Some("soft") => Means::Nothing,
            _ => Means::Wrong("type: must be hard, soft or complaint"),
        };
    }
    match fields.text(Field::Status) {
        Some("blocklisted") => says(EventKind::OptOut),
        Some("enabled" | "disabled") => Means::Nothing,
        _ => Means::Wrong("status: must be enabled, disabled or blocklisted"),
    }
}

fn mautic(fields: &Fields<'_>) -> Means {
    if let Some(cell) = fields.text(Field::DoNotContact) {
        return do_not_contact(cell);
    }
    match fields.text(Field::Reason) {
        None => Means::Nothing,
        Some(word) => match mautic_reason(word) {
            Some(Reason::Is(kind)) => says(kind),
            Some(Reason::Contactable) => Means::Nothing,
            None => Means::Wrong("reason: must be 1 (unsubscribed), 2 (bounced), 3 (manual) or 0"),
        },
    }
}

/// `1`, or `DNC Bounced: Email, DNC Unsubscribed: Text Message`, or `1:email,3:sms`.
fn do_not_contact(cell: &str) -> Means {
    const RULE: &str = "do not contact: is neither yes nor no, nor a list of reasons with their channels";
    if !cell.contains(':') {
        return match cell.to_lowercase().as_str() {
            "1" | "true" | "yes" | "да" | "иә" => says(EventKind::OptOut),
            "0" | "false" | "no" | "нет" | "жоқ" => Means::Nothing,
            _ => Means::Wrong(RULE),
        };
    }
    let mut all = Vec::new();
    for part in cell.split([',', ';', '|', '\n']).map(str::trim).filter(|part| !part.is_empty()) {
        let Some((reason, channel)) = part.rsplit_once(':') else { return Means::Wrong(RULE) };
        let channel = match channel.trim().to_lowercase().as_str() {
            "text message" => Channel::Sms.as_str().to_owned(),
            other => other.to_owned(),
        };
        match mautic_reason(reason) {
            Some(Reason::Is(kind)) => all.push((kind, Some(vec![channel]))),
            Some(Reason::Contactable) => {}
            None => return Means::Wrong(RULE),
        }
    }
    match all.len() {
        0 => Means::Nothing,
        1..=SAYINGS_MAX => Means::Says(all),
        _ => Means::Wrong(RULE),
    }
}

/// Why Mautic does not contact somebody.
enum Reason {
    Is(EventKind),
    Contactable,
}

/// `None`: it is no reason of Mautic's.
fn mautic_reason(word: &str) -> Option<Reason> {
    let word = word.trim().to_lowercase();
    match word.as_str() {
        "0" | "contactable" => Some(Reason::Contactable),
        "1" | "3" => Some(Reason::Is(EventKind::OptOut)),
        "2" => Some(Reason::Is(EventKind::Bounce)),
        word if word.contains("bounce") => Some(Reason::Is(EventKind::Bounce)),
        word if word.contains("unsubscribe") || word.contains("manual") => {
            Some(Reason::Is(EventKind::OptOut))
        }
        _ => None,
    }
}
