//! What columns and members are called: in each product by its own names, in other files by those that people use.
//!
//! Case, dots, hyphens and underscores do not count. A name that may mean something else (`номер`, `created_at`
//! of a customer, `id`) is not on the list: a guess here would opt out the wrong people, or at the wrong time.

use crate::domain::catalogue::folded;
use crate::domain::filter::{Given, Identifiers};
use crate::domain::words::IdentifierKind;

use super::Format;

/// What a column or a member says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    UserId,
    Email,
    Phone,
    Kind,
    At,
    /// When a record was made, if it does not say when it changed.
    Made,
    Regions,
    Channels,
    Brands,
    Scope,
    Reason,
    Status,
    /// Of a bounce: hard, soft, complaint.
    Hardness,
    Code,
    Tags,
    Ip,
    /// Mautic's "do not contact".
    DoNotContact,
}

type Names = &'static [(Field, &'static [&'static str])];

const USUAL: Names = &[
    (
        Field::UserId,
        &[
            "user id",
            "userid",
            "customer id",
            "customer number",
            "client id",
            "id клиента",
            "номер клиента",
            "код клиента",
            "клиент id",
            "клиент нөмірі",
            "клиент коды",
        ],
    ),
    (
        Field::Email,
        &[
            "email",
            "e mail",
            "email address",
            "e mail address",
            "emailaddress",
            "почта",
            "эл почта",
            "электронная почта",
            "адрес электронной почты",
            "электронный адрес",
            "имейл",
            "пошта",
            "эл пошта",
            "электрондық пошта",
            "электрондық мекенжай",
            "электрондық пошта мекенжайы",
        ],
    ),
    (
        Field::Phone,
        &[
            "phone",
            "phone number",
            "mobile",
            "mobile phone",
            "mobile number",
            "telephone",
            "tel",
            "msisdn",
            "телефон",
            "номер телефона",
            "мобильный",
            "мобильный телефон",
            "сотовый",
            "сотовый телефон",
            "телефон нөмірі",
            "ұялы телефон",
            "ұялы",
        ],
    ),
    (Field::Kind, &["kind", "вид", "түрі"]),
    (
        Field::At,
        &[
            "occurred at",
            "date",
            "unsubscribed at",
            "unsubscribe date",
            "opted out at",
            "opt out date",
            "дата",
            "дата отписки",
            "дата отказа",
            "күні",
            "бас тарту күні",
        ],
    ),
    (Field::Regions, &["region", "regions", "регион", "регионы", "область", "өңір", "өңірлер", "облыс"]),
    (Field::Channels, &["channel", "channels", "канал", "каналы", "арна", "арналар"]),
    (Field::Brands, &["brand", "brands", "бренд", "бренды", "брендтер"]),
    (Field::Scope, &["scope"]),
];

const SENDGRID: Names = &[
    (Field::Email, &["email"]),
    (Field::At, &["created"]),
    (Field::Reason, &["reason"]),
    (Field::Status, &["status"]),
    (Field::Ip, &["ip"]),
];

const SES: Names = &[
    (Field::Email, &["emailaddress", "email address", "email"]),
    (Field::Reason, &["reason"]),
    (Field::At, &["lastupdatetime", "last update time", "last updated"]),
];

const MAILGUN: Names = &[
    (Field::Email, &["address"]),
    (Field::Code, &["code"]),
    (Field::Reason, &["error"]),
    (Field::Tags, &["tags", "tag"]),
    (Field::At, &["created at"]),
];

const MAUTIC: Names = &[
    (Field::Email, &["email"]),
    (Field::Phone, &["phone", "mobile", "mobile phone"]),
    (Field::Reason, &["reason", "dnc reason"]),
    (Field::Channels, &["channel", "dnc channel"]),
    (Field::At, &["date added", "dateadded", "dnc date added"]),
    (Field::DoNotContact, &["dnc preferences", "donotcontact", "do not contact"]),
];

const LISTMONK: Names = &[
    (Field::Email, &["email"]),
    (Field::Status, &["status"]),
    (Field::Hardness, &["type"]),
    (Field::At, &["updated at"]),
    (Field::Made, &["created at"]),
];

/// What a name means in files of this format.
pub(super) fn field(format: Format, name: &str) -> Option<Field> {
    let name = plain(name);
    let (field, _) = names(format).iter().find(|(_, names)| names.contains(&name.as_str()))?;
    Some(*field)
}

fn names(format: Format) -> Names {
    match format {
        Format::Csv | Format::Ndjson => USUAL,
        Format::Sendgrid => SENDGRID,
        Format::Ses => SES,
        Format::Mailgun => MAILGUN,
        Format::Mautic => MAUTIC,
        Format::Listmonk => LISTMONK,
    }
}

fn plain(name: &str) -> String {
    let blanks: String = name.chars().map(|c| if matches!(c, '_' | '-' | '.') { ' ' } else { c }).collect();
    folded(&blanks)
}

/// Whose file this is, by the names in it; without a sign of a product it is nobody's.
pub(super) fn guess<'a>(all: impl Iterator<Item = &'a str>) -> Option<Format> {
    let names: Vec<String> = all.map(plain).collect();
    let any = |wanted: &[&str]| wanted.iter().any(|wanted| names.iter().any(|name| name == wanted));
    let each = |wanted: &[&str]| wanted.iter().all(|wanted| any(&[wanted]));
    if each(&["emailaddress", "reason"]) {
        Some(Format::Ses)
    } else if each(&["email", "uuid", "status"]) || each(&["email", "type", "subscriber uuid"]) {
        Some(Format::Listmonk)
    } else if any(&["dnc preferences", "donotcontact", "do not contact"])
        || each(&["reason", "channel"]) && any(&["date added", "dateadded", "dnc date added"])
    {
        Some(Format::Mautic)
    } else if any(&["address"]) && any(&["created at", "code", "tags"]) && !any(&["email", "e mail"]) {
        Some(Format::Mailgun)
    } else if each(&["email", "created"]) {
        Some(Format::Sendgrid)
    } else {
        None
    }
}

/// A line's fields, those that the format knows. Not `Debug`: they name a person.
pub(super) struct Fields<'a>(pub(super) Vec<(Field, Given<'a>)>);

impl<'a> Fields<'a> {
    /// Whether the file has it, be it empty on this line.
    pub(super) fn has(&self, field: Field) -> bool {
        self.0.iter().any(|(one, _)| *one == field)
    }

    /// The first that is given.
    pub(super) fn given(&self, field: Field) -> &Given<'a> {
        let mut given = self.0.iter().filter(|(one, given)| *one == field && *given != Given::Absent);
        given.next().map_or(&Given::Absent, |(_, given)| given)
    }

    /// Its text, trimmed, if there is any.
    pub(super) fn text(&self, field: Field) -> Option<&str> {
        match self.given(field) {
            Given::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            Given::Absent | Given::Unusable => None,
        }
    }

    /// Whether anything but an identifier is there and cannot be read.
    pub(super) fn strange(&self) -> bool {
        let identifier = |field| matches!(field, Field::UserId | Field::Email | Field::Phone);
        self.0.iter().any(|(field, given)| *given == Given::Unusable && !identifier(*field))
    }

    /// The identifiers: the first of each kind in one, the second of each kind in the next, and so on.
    pub(super) fn people(&mut self) -> Vec<Identifiers<'a>> {
        let mut people: Vec<Identifiers<'a>> = Vec::new();
        let mut counts = [0; IdentifierKind::ALL.len()];
        for (field, given) in &mut self.0 {
            let kind = match field {
                Field::UserId => IdentifierKind::UserId,
                Field::Email => IdentifierKind::Email,
                Field::Phone => IdentifierKind::Phone,
                _ => continue,
            };
            let given = std::mem::take(given);
            if given == Given::Absent {
                continue;
            }
            let count = &mut counts[kind as usize];
            if *count == people.len() {
                people.push(Identifiers::default());
            }
            people[*count].set(kind, given);
            *count += 1;
        }
        people
    }
}
