//! What operators read beside the guide, held to what is there: links and their targets, settings, commands, and the
//! figures, which must be those that were measured.

use std::path::Path;
use std::process::Command;

use crate::{PROGRAM, done, top};

const PAGES: [&str; 2] = ["deploy/OPERATING.md", "deploy/THREATS.md"];

fn text(path: &str) -> String {
    std::fs::read_to_string(top().join(path)).unwrap_or_else(|_| panic!("{path} is not there"))
}

/// The targets of a page's headings, as GitHub makes them.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter_map(|line| line.strip_prefix('#'));
    let plain = headings.map(|line| line.trim_start_matches(['#', ' ']).to_lowercase().replace(' ', "-"));
    plain.map(|line| line.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()).collect()
}

#[test]
fn every_link_leads_somewhere() {
    for page in PAGES {
        let text = text(page);
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let (path, anchor) =
                link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
            let target = top().join("deploy").join(path);
            assert!(target.exists(), "{page}: {link}");
            let Some(anchor) = anchor else { continue };
            let there =
                if path.is_empty() { text.clone() } else { std::fs::read_to_string(&target).unwrap() };
            assert!(anchors(&there).iter().any(|it| it == anchor), "{page}: {link}");
        }
    }
}

#[test]
fn every_setting_that_is_named_exists() {
    let settings = text("config/suppressd.toml");
    let sections = ["amqp", "redis", "hashing", "limits", "shutdown", "admin", "mailbox"];
    for page in PAGES {
        for word in text(page).split('`').skip(1).step_by(2) {
            let Some((section, key)) = word.split_once('.').filter(|(section, _)| sections.contains(section))
            else {
                continue;
            };
            let lines = settings.lines().map(|line| line.trim_start_matches('#'));
            let mut within = lines.skip_while(|line| *line != format!("[{section}]")).skip(1);
            let known = within
                .by_ref()
                .take_while(|line| !line.starts_with('['))
                .any(|line| line.split_once(" = ").is_some_and(|(name, _)| name == key));
            assert!(known, "{page} names {word}");
        }
    }
}

#[test]
fn every_command_that_is_shown_is_one() {
    let help = done(Command::new(PROGRAM).arg("--help"));
    for page in
        PAGES.into_iter().chain(["deploy/debian/README.Debian", "deploy/kubernetes/kustomization.yaml"])
    {
        let text = text(page);
        for (at, _) in text.match_indices("suppressd ") {
            let word = text[at + 10..].split([' ', '`', '\n']).next().unwrap();
            let shown = ["`", "\n", "  "].iter().any(|before| text[..at].ends_with(before));
            let is_word = word.starts_with(|c: char| c.is_ascii_lowercase())
                && word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            if shown && is_word {
                assert!(help.contains(&format!("\n  {word} ")), "{page} shows suppressd {word}");
            }
        }
    }
}

#[test]
fn every_figure_is_one_that_was_measured() {
    let measured = text("benches/results.md") + &text("README.md");
    let page = text("deploy/OPERATING.md");
    for figure in ["739,000", "29,600", "41.8", "35.4", "7.3 s", "896 MiB", "1.52", "237"] {
        assert!(
            measured.contains(figure),
            "{figure} is measured no more: see the table of deploy/OPERATING.md"
        );
    }
    let settings = Path::new("deploy/kubernetes/workers.yaml");
    let asked = std::fs::read_to_string(top().join(settings)).unwrap();
    assert!(page.contains("896 MiB") && asked.contains("896 MiB"), "the limit of a pod follows the bound");
}
