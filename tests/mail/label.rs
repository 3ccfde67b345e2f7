//! What a mail of the corpus should be taken for: headers at its top, cut off before it is read.

use suppressd::domain::mail::reading::Narrowed;

/// The labels of one mail.
#[derive(Default)]
pub(crate) struct Label {
    /// What must come out.
    pub outcome: String,
    /// What may come out as well.
    pub accept: Vec<String>,
    /// Whether it explicitly asks to stop marketing.
    pub explicit: bool,
    /// What it is narrowed to.
    pub scope: Narrowed,
    /// Addresses and numbers to suppress, if not just the sender's address.
    pub suppress: Option<(Vec<String>, Vec<String>)>,
    /// Whether a person must read it too.
    pub also_person: bool,
}

impl Label {
    /// The labels, and the mail without them.
    pub(crate) fn split(raw: &[u8]) -> (Self, &[u8]) {
        let mut label = Self::default();
        let mut rest = raw;
        while rest.starts_with(b"X-Corpus-") {
            let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
            let line = String::from_utf8_lossy(&rest[..end]);
            if let Some((key, value)) = line.split_once(':') {
                label.set(key, value.trim());
            }
            rest = &rest[end..];
            // A folded label goes on in the next line.
            while rest.starts_with(b" ") || rest.starts_with(b"\t") {
                let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
                rest = &rest[end..];
            }
        }
        (label, rest)
    }

    /// Whether an outcome is right.
    pub(crate) fn accepts(&self, outcome: &str) -> bool {
        self.outcome == outcome || self.accept.iter().any(|other| other == outcome)
    }

    fn set(&mut self, key: &str, value: &str) {
        let list = |value: &str, sign| -> Vec<String> {
            value.split(sign).map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
        };
        match key {
            "X-Corpus-Outcome" => value.clone_into(&mut self.outcome),
            "X-Corpus-Accept" => self.accept = list(value, ','),
            "X-Corpus-Explicit" => self.explicit = value == "yes",
            "X-Corpus-Also-Person" => self.also_person = value == "yes",
            "X-Corpus-Scope" => list(value, ';').iter().for_each(|part| self.narrow(part)),
            "X-Corpus-Suppress" => {
                let (mut emails, mut phones) = (Vec::new(), Vec::new());
                for part in list(value, ';') {
                    match part.split_once('=') {
                        Some(("email", email)) => emails.push(email.to_owned()),
                        Some(("phone", phone)) => phones.push(phone.to_owned()),
                        _ => {}
                    }
                }
                self.suppress = Some((emails, phones));
            }
            _ => {}
        }
    }

    fn narrow(&mut self, part: &str) {
        let Some((dimension, names)) = part.split_once('=') else { return };
        let names = names.split(',').map(str::trim);
        match dimension {
            "channels" => {
                let known = ["email", "sms", "call"];
                self.scope.channels =
                    known.into_iter().filter(|known| names.clone().any(|n| n == *known)).collect();
            }
            "brands" => self.scope.brands = names.map(str::to_owned).collect(),
            _ => self.scope.regions = names.map(str::to_owned).collect(),
        }
    }
}
