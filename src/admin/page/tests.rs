//! What the page is made of: its texts, its links, its policy. The page itself is looked at in `tests/page`.

use super::*;
use crate::domain::words::{Channel, DeadReason, IdentifierKind, Removal};
use crate::service::health::Dependency;
use crate::service::status::Process;

pub(in crate::admin) fn process() -> Process {
    let started_at = "2026-11-23T03:00:00Z".parse().unwrap();
    Process { host: "mq-1".into(), pid: 4711, version: "0.1.0", started_at }
}

fn asked(query: &str, wish: &str) -> Request {
    Request::new(query, [wish].into_iter())
}

/// Every text of the page, with what it belongs to.
fn texts() -> Vec<(String, Text)> {
    let mut texts: Vec<_> = words::ALL.iter().map(|(name, text)| ((*name).to_owned(), *text)).collect();
    for (name, (what, remedy)) in terms::WARNINGS {
        texts.extend([((*name).to_owned(), *what), ((*name).to_owned(), *remedy)]);
    }
    texts.extend(Dependency::ALL.iter().map(|word| (word.to_string(), terms::dependency(*word))));
    texts.extend(Dependency::ALL.iter().map(|word| (word.to_string(), terms::remedy(*word))));
    texts.extend(Channel::ALL.iter().map(|word| (word.to_string(), terms::channel(*word))));
    texts.extend(IdentifierKind::ALL.iter().map(|word| (word.to_string(), terms::identifier(*word))));
    texts.extend(Removal::ALL.iter().map(|word| (word.to_string(), terms::removal(*word))));
    texts.extend(DeadReason::ALL.iter().map(|word| (word.to_string(), terms::dead_reason(*word))));
    texts
}

#[test]
fn every_text_is_in_three_languages() {
    let cyrillic = |text: &str| text.chars().any(|letter| ('\u{400}'..='\u{52f}').contains(&letter));
    // What is called the same everywhere.
    let names = ["RabbitMQ", "SMS", "E-mail"];
    for (name, [english, russian, kazakh]) in texts() {
        for text in [english, russian, kazakh] {
            assert!(!text.is_empty() && text == text.trim() && !text.contains("  "), "{name}: {text:?}");
            assert_eq!(text.matches('`').count() % 2, 0, "{name}: {text:?}");
        }
        if names.contains(&english) {
            continue;
        }
        assert!(!cyrillic(english), "{name}: {english}");
        assert!(cyrillic(russian) && cyrillic(kazakh), "{name}: {russian}, {kazakh}");
        let only_kazakh = |letter| "әғқңөұүһіӘҒҚҢӨҰҮҺІ".contains(letter);
        assert!(!russian.contains(only_kazakh), "{name}: {russian}");
        let only_russian = |letter| "щъьЩЪЬ".contains(letter);
        assert!(!kazakh.contains(only_russian), "{name}: {kazakh}");
        // What is to be typed is the same in every language.
        let typed = |text: &'static str| text.split('`').skip(1).step_by(2).collect::<Vec<_>>();
        assert_eq!((typed(russian), typed(kazakh)), (typed(english), typed(english)), "{name}");
    }
}

#[test]
fn every_warning_of_the_guide_is_explained() {
    let guide = include_str!("../../../README.md");
    let (_, table) = guide.split_once("\n| warning | ").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let named = table.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let mut named: Vec<_> =
        named.flat_map(|names| names.split(", ")).map(|name| name.trim_matches('`')).collect();
    let mut explained: Vec<_> = terms::WARNINGS.iter().map(|(name, _)| *name).collect();
    named.sort_unstable();
    explained.sort_unstable();
    assert_eq!(explained, named, "README.md's table of warnings and terms.rs tell of the same");
}

#[test]
fn everything_that_may_be_wrong_leads_to_an_entry_of_the_runbook() {
    let warnings = terms::WARNINGS.iter().map(|(name, _)| runbook::of_warning(name));
    let dependencies = Dependency::ALL.iter().map(|word| runbook::of_dependency(*word));
    for entry in warnings.chain(dependencies).chain([runbook::DEAD_LETTERS]) {
        assert!(RUNBOOK.contains(&format!("\n### {entry}\n")), "RUNBOOK.md has no entry {entry}");
    }
    // Those without an entry of their own are named in the one that they share.
    let (_, shared) = RUNBOOK.split_once("\n### SuppressdWarning\n").unwrap();
    let (shared, _) = shared.split_once("\n### ").unwrap();
    for (name, _) in
        terms::WARNINGS.iter().filter(|(name, _)| runbook::of_warning(name) == "SuppressdWarning")
    {
        assert!(
            shared.contains(&format!("`{name}`")),
            "RUNBOOK.md, SuppressdWarning does not say what to do of {name}"
        );
    }
}

#[test]
fn a_query_chooses_language_and_renewal_and_links_keep_both() {
    let cases = [
        ("", "ru", "ru", "?"),
        ("lang=kk", "ru", "kk", "?lang=kk"),
        ("refresh=off", "kk-KZ", "kk", "?refresh=off"),
        ("lang=EN&refresh=off", "ru", "en", "?lang=en&refresh=off"),
        ("lang=xx&refresh=on", "ru", "ru", "?"),
        ("lang=<script>&refresh", "ru", "ru", "?"),
    ];
    for (query, wish, language, link) in cases {
        let request = asked(query, wish);
        assert_eq!((request.language.tag(), request.link().as_str()), (language, link), "{query}");
    }
}

#[test]
fn the_policy_allows_the_pages_own_style_and_script_alone() {
    assert_eq!(digest(""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    let policy = security_policy();
    let policy = policy.to_str().unwrap();
    assert!(policy.contains(&digest(STYLE)) && policy.contains(&digest(SCRIPT)), "{policy}");
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
}

#[test]
fn what_is_typed_is_marked() {
    assert_eq!(marked("run `a < b` now").into_string(), "run <code>a &lt; b</code> now");
}
