//! The part of the configuration that decides, without what connects: for `filter --opt-outs` and `read-mail`,
//! which people run on machines that have neither servers nor keys.
//!
//! The sections of servers may be there, because the same files are used, but they are not looked into: a
//! file with a password that this user may not read is no mistake here.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::domain::catalogue::Catalogue;

use super::section::{Notes, Section};
use super::{
    Identifiers, Limits, Mistakes, Policy, Settings, Source, Understanding, regions, sources, take_with,
};

/// Sections that only a process with servers reads.
const OF_SERVERS: [&str; 8] = ["amqp", "redis", "hashing", "admin", "shutdown", "log", "tracing", "calendar"];

/// What decides about an event or a recipient.
#[derive(Debug, Clone)]
pub struct Rules {
    /// How identifiers are read.
    pub identifiers: Identifiers,
    /// Who may say what, by the source's name.
    pub sources: BTreeMap<String, Source>,
    /// Regions and brands.
    pub catalogue: Catalogue,
    /// Bounds.
    pub limits: Limits,
}

/// Reads the rules, as [`load`](super::load) reads everything, and every mistake in them.
pub fn load_rules(
    files: &[PathBuf],
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Rules, Mistakes> {
    let mut notes = Notes::default();
    let rules = take_with(files, environment, &mut notes, Rules::take);
    if notes.mistakes.is_empty() { Ok(rules) } else { Err(Mistakes(notes.mistakes)) }
}

/// What decides about a mail.
#[derive(Debug, Clone)]
pub struct MailRules {
    /// How identifiers are read.
    pub identifiers: Identifiers,
    /// Regions and brands.
    pub catalogue: Catalogue,
    /// Whose mails they are, and by which words.
    pub understanding: Understanding,
}

/// Reads the rules for mails, as [`load`](super::load) reads everything, and every mistake in them.
pub fn load_mail_rules(
    files: &[PathBuf],
    environment: impl Iterator<Item = (String, String)>,
) -> Result<MailRules, Mistakes> {
    let mut notes = Notes::default();
    let rules = take_with(files, environment, &mut notes, MailRules::take);
    if notes.mistakes.is_empty() { Ok(rules) } else { Err(Mistakes(notes.mistakes)) }
}

impl MailRules {
    fn take(root: &mut Section<'_>) -> Self {
        for section in OF_SERVERS.iter().chain(&["sources", "limits"]) {
            root.pass_over(section);
        }
        let (_, brands) = root.section("policy", Policy::take);
        Self {
            identifiers: root.section("identifiers", Identifiers::take),
            catalogue: Catalogue::new(regions::take(root), brands),
            understanding: root.section("mailbox", |mailbox| {
                let understanding = Understanding::take(mailbox);
                mailbox.pass_over_the_rest();
                understanding
            }),
        }
    }
}

impl Rules {
    fn take(root: &mut Section<'_>) -> Self {
        for section in OF_SERVERS {
            root.pass_over(section);
        }
        root.pass_over("mailbox");
        let (_, brands) = root.section("policy", Policy::take);
        Self {
            identifiers: root.section("identifiers", Identifiers::take),
            sources: sources::take(root),
            catalogue: Catalogue::new(regions::take(root), brands),
            limits: root.section("limits", Limits::take),
        }
    }
}

impl From<&Settings> for Rules {
    fn from(settings: &Settings) -> Self {
        Self {
            identifiers: settings.identifiers.clone(),
            sources: settings.sources.clone(),
            catalogue: settings.catalogue.clone(),
            limits: settings.limits.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tempfile::TempDir;

    use super::*;

    fn shipped() -> Vec<PathBuf> {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
        vec![config.join("suppressd.toml"), config.join("kazakhstan.toml")]
    }

    #[test]
    fn the_shipped_files_are_enough_without_a_key() {
        let rules = load_rules(&shipped(), std::iter::empty()).unwrap();
        assert!(rules.catalogue.region_of_job("Шымкент").is_some());
        assert!(rules.sources.contains_key("call_center"));
    }

    #[test]
    fn the_sections_of_servers_are_not_looked_into() {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("servers.toml");
        std::fs::write(&file, "redis.password_file = '/nonexistent'\nhashing = 7\namqp.url = ''\n").unwrap();
        let files: Vec<_> = shipped().into_iter().chain([file]).collect();
        assert!(load_rules(&files, std::iter::empty()).is_ok());
    }

    #[test]
    fn mistakes_in_the_rules_are_all_reported() {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("bad.toml");
        std::fs::write(&file, "polizy.brands = ['a']\nlimits.future_max_s = -1\n").unwrap();
        let mistakes = load_rules(&[file], std::iter::empty()).unwrap_err();
        let printed = mistakes.to_string();
        for key in ["polizy", "limits.future_max_s", "policy.brands", "sources", "regions"] {
            assert!(printed.contains(&format!(" {key}")), "{key} is missing in:\n{printed}");
        }
    }
}
