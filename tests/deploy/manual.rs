//! The manual page and the completions, held to what `--help` says: both come from the same definition, but a page
//! that leaves something out would not show it.

use std::collections::BTreeMap;
use std::process::Command;

use crate::{PROGRAM, done};

/// Every command by its whole name, with the options that its help lists.
fn commands() -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    let mut open = vec![Vec::new()];
    while let Some(path) = open.pop() {
        let help = done(Command::new(PROGRAM).args(&path).arg("--help"));
        let below = help.split_once("Commands:\n").map(|(_, rest)| names(rest)).unwrap_or_default();
        let options = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
        let options = options.filter_map(|line| {
            let long = line.split_once("--")?.1;
            Some(format!("--{}", long.split([' ', ',']).next()?))
        });
        let own = options.filter(|option| !["--help", "--version"].contains(&option.as_str()));
        let own = own.filter(|option| path.is_empty() || option != "--config");
        found.insert(path.join(" "), own.collect());
        open.extend(below.into_iter().map(|name| [&path[..], &[name]].concat()));
    }
    found
}

/// The first words of indented lines, up to the first that is not.
fn names(text: &str) -> Vec<String> {
    let lines = text.lines().map_while(|line| line.strip_prefix("  "));
    lines
        .filter(|line| !line.starts_with(' '))
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect()
}

/// The page as a reader has it, without the marks of troff.
fn page() -> String {
    let page = done(Command::new(PROGRAM).args(["generate", "man"]));
    ["\\fB", "\\fI", "\\fR", "\\:"].iter().fold(page, |text, mark| text.replace(mark, "")).replace("\\-", "-")
}

/// What the page says of one command: from its heading to the next one. The program itself has what comes before.
fn section<'a>(page: &'a str, command: &str) -> Option<&'a str> {
    let (head, commands) = page.split_once("\n.SH COMMANDS").expect("the page has the commands");
    if command.is_empty() {
        return Some(head);
    }
    let sections = commands.split("\n.S").filter_map(|section| section.strip_prefix("S \""));
    sections.into_iter().find(|section| {
        let usage = section.lines().next().unwrap_or_default();
        usage.split(['[', '<', '"']).next().map(str::trim_end) == Some(command)
    })
}

#[test]
fn the_manual_page_has_every_command_with_every_option() {
    let page = page();
    let commands = commands();
    assert!(commands.len() > 20, "help lists few commands: {commands:?}");
    for (command, options) in &commands {
        let Some(section) = section(&page, command) else {
            // One that only holds others is told with them.
            let below = format!("{command} ");
            assert!(commands.keys().any(|it| it.starts_with(&below)), "no section of {command:?}");
            assert!(options.is_empty(), "no section of {command:?}, which has {options:?}");
            continue;
        };
        let missing: Vec<_> = options.iter().filter(|it| !section.contains(it.as_str())).collect();
        assert!(missing.is_empty(), "the section of {command:?} lacks {missing:?}:\n{section}");
    }
}

#[test]
fn the_manual_page_says_what_a_script_must_know() {
    let page = page();
    for wanted in
        ["\n.TH SUPPRESSD 1", "EXIT STATUS", "\n69\n", "\n78\n", "SIGTERM", "SUPPRESSD__SECTION__KEY"]
    {
        assert!(page.contains(wanted), "{wanted:?} is not in:\n{page}");
    }
}

#[test]
fn bash_completes_commands_and_options() {
    let script = done(Command::new(PROGRAM).args(["generate", "bash"]));
    let offered = |words: &[&str]| {
        let last = words.len() - 1;
        let ask = format!(
            "{script}\nCOMP_WORDS=({}) COMP_CWORD={last}\n_suppressd suppressd '{}' '{}'\necho \"${{COMPREPLY[@]}}\"",
            words.join(" "),
            words[last].trim_matches('\''),
            words[last - 1],
        );
        done(Command::new("bash").args(["--norc", "-c", &ask]))
    };
    let commands = offered(&["suppressd", "''"]);
    for command in commands_at_the_top() {
        assert!(commands.split_whitespace().any(|word| word == command), "{command} is not in {commands}");
    }
    assert_eq!(offered(&["suppressd", "dead", "re"]).trim(), "redrive");
    assert_eq!(offered(&["suppressd", "import", "--pre"]).trim(), "--preview");
}

fn commands_at_the_top() -> Vec<String> {
    commands().into_keys().filter(|name| !name.is_empty() && !name.contains(' ')).collect()
}

#[test]
fn zsh_and_fish_complete_every_command() {
    for shell in ["zsh", "fish"] {
        let script = done(Command::new(PROGRAM).args(["generate", shell]));
        for command in commands_at_the_top() {
            assert!(script.contains(&command), "{command} is not in the completions for {shell}");
        }
    }
}
