//! The manual page, suppressd(1): one page with every command, because whoever is called at night searches it for a
//! word.
//!
//! What a command and its options do is said where clap has it; here stands only what clap does not know. The page
//! has no date, so that the same source gives the same page.

use clap::{Arg, Command};
use roff::{Inline, Roff, bold, italic, roman};

use super::exit::Exit;

const DESCRIPTION: &str = "\
suppressd takes campaign jobs from RabbitMQ, removes everybody who opted out, and publishes the rest. Call centres and \
mail handling publish opt-outs, which are in force for every job from the receipt on. The list is in Redis, its \
history in a RabbitMQ stream; the program itself keeps nothing, so any number of workers may run. Where it cannot be \
proven that the list is whole, nothing is published: jobs wait.";

/// Who may rely on which: the table of the guide, in short.
const EXITS: [(Exit, &str); 6] = [
    (Exit::Fine, "Fine; or stopped by SIGTERM or SIGINT."),
    (Exit::Usage, "The command line is wrong."),
    (Exit::BadData, "Input data is wrong: a line of a file, an identifier, an event that is refused."),
    (Exit::Unavailable, "A service is unavailable: RabbitMQ, Redis, or a worker that would answer."),
    (Exit::Internal, "Internal: a full disk, a second signal, a mistake in the program."),
    (
        Exit::Configuration,
        "The configuration is wrong, or what it leads to: a login, a queue, an evicting Redis.",
    ),
];

const SIGNALS: [(&str, &str); 1] = [(
    "SIGTERM, SIGINT",
    "A worker takes nothing more, finishes what it holds within shutdown.grace_s and ends. At a second one it ends at \
     once; what was not settled comes again.",
)];

const ENVIRONMENT: [(&str, &str); 1] = [(
    "SUPPRESSD__SECTION__KEY",
    "Wins over the key of that section in every file, such as SUPPRESSD__AMQP__URL over url of [amqp]. A list is \
     separated by commas.",
)];

const FILES: [(&str, &str); 4] = [
    ("/etc/suppressd/suppressd.toml", "Every setting, with its meaning, its unit and its default."),
    ("/etc/suppressd/kazakhstan.toml", "The regions and the working days of Kazakhstan."),
    (
        "/etc/suppressd/suppressd.key",
        "The key of the digests. Without a copy of it elsewhere, nobody on the list can be recognised any more once it is \
         lost.",
    ),
    ("/etc/suppressd/suppressd.env", "Variables for suppressd.service: addresses with passwords."),
];

const EXAMPLES: [(&str, &str); 3] = [
    (
        "suppressd check-config --config suppressd.toml --config kazakhstan.toml",
        "Is the configuration right? Every mistake is told at once.",
    ),
    (
        "suppressd doctor --config suppressd.toml --config kazakhstan.toml",
        "Is all well with the servers, and what is to be done?",
    ),
    (
        "suppressd filter people.csv --opt-outs opt-outs.ndjson --channel sms --region KZ-79 --brand lulla.kz \
         --config suppressd.toml --config kazakhstan.toml",
        "Cleans a file without any server.",
    ),
];

/// The page of a program, as troff source.
pub(super) fn page(mut program: Command) -> String {
    program.build();
    let version = format!("suppressd {}", program.get_version().unwrap_or_default());
    let about = text(program.get_about());
    let mut page = Roff::new();
    // A blank stands for the date: an empty word would be dropped, and the others move up.
    page.control("TH", ["SUPPRESSD", "1", " ", version.as_str(), "User commands"]);
    page.control("SH", ["NAME"]).text([roman(format!("suppressd - {}", about.trim_end_matches('.')))]);
    page.control("SH", ["SYNOPSIS"]).text([
        bold("suppressd"),
        roman(" "),
        italic("COMMAND"),
        roman(" ["),
        bold("--config"),
        roman(" "),
        italic("FILE"),
        roman("]... ["),
        italic("OPTION"),
        roman("]..."),
    ]);
    page.control("SH", ["DESCRIPTION"]).text([roman(DESCRIPTION)]);
    page.control("SH", ["OPTIONS"]);
    arguments(&mut page, program.get_arguments());
    page.control("SH", ["COMMANDS"]);
    program.get_subcommands().for_each(|command| described(&mut page, command));
    rows(&mut page, "EXIT STATUS", EXITS.map(|(exit, meaning)| ((exit as u8).to_string(), meaning)));
    rows(&mut page, "SIGNALS", SIGNALS);
    rows(&mut page, "ENVIRONMENT", ENVIRONMENT);
    rows(&mut page, "FILES", FILES);
    rows(&mut page, "EXAMPLES", EXAMPLES);
    page.control("SH", ["SEE ALSO"]);
    page.text([
        bold("rabbitmqctl"),
        roman("(8), "),
        bold("redis-cli"),
        roman("(1), /usr/share/doc/suppressd"),
    ]);
    page.render()
}

/// A command with its options, then those below it. One that only holds others has no heading of its own.
fn described(page: &mut Roff, command: &Command) {
    if !command.is_subcommand_required_set() {
        page.control("SS", [usage(command).as_str()]).text([roman(sentence(&text(command.get_about())))]);
        let known = command.get_arguments().filter(|argument| !argument.is_global_set());
        arguments(page, known);
    }
    command.get_subcommands().for_each(|below| described(page, below));
}

/// How it is called, without the program's name; where there are several ways, the first.
fn usage(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let first = usage.lines().next().unwrap_or_default();
    let first = first.trim_start_matches("Usage:").trim();
    first.strip_prefix("suppressd ").unwrap_or(first).to_owned()
}

fn arguments<'a>(page: &mut Roff, all: impl Iterator<Item = &'a Arg>) {
    for argument in all.filter(|it| !it.is_hide_set() && it.get_id() != "help" && it.get_id() != "version") {
        page.control("TP", []).text(heading(argument));
        let help = argument.get_long_help().or(argument.get_help());
        let body = sentence(&text(help)) + &choices(argument) + &default(argument);
        page.text([roman(body)]);
    }
}

/// `--option VALUE`, or the value alone.
fn heading(argument: &Arg) -> Vec<Inline> {
    let values = || argument.get_value_names().unwrap_or_default().join(" ");
    let Some(long) = argument.get_long() else { return vec![italic(values())] };
    let mut heading = vec![bold(format!("--{long}"))];
    if argument.get_action().takes_values() {
        heading.extend([roman(" "), italic(values())]);
    }
    heading
}

/// What may be given, where that is a closed list.
fn choices(argument: &Arg) -> String {
    if !argument.get_action().takes_values() {
        return String::new();
    }
    let choices = argument.get_possible_values().into_iter();
    let named = choices.map(|value| match value.get_help() {
        Some(help) => format!(" {}: {}", value.get_name(), sentence(&help.to_string())),
        None => format!(" {}.", value.get_name()),
    });
    named.collect()
}

fn default(argument: &Arg) -> String {
    let defaults: Vec<_> = argument.get_default_values().iter().map(|it| it.to_string_lossy()).collect();
    let shown = !defaults.is_empty() && argument.get_action().takes_values();
    if shown { format!(" By default {}.", defaults.join(", ")) } else { String::new() }
}

/// A section of names and what they mean.
fn rows<N: Into<String>>(page: &mut Roff, title: &str, rows: impl IntoIterator<Item = (N, &'static str)>) {
    page.control("SH", [title]);
    for (name, meaning) in rows {
        page.control("TP", []).text([bold(name.into())]).text([roman(meaning)]);
    }
}

fn text(styled: Option<&clap::builder::StyledStr>) -> String {
    styled.map(ToString::to_string).unwrap_or_default()
}

/// Help ends without a full stop where clap shows it, and is several sentences here.
fn sentence(help: &str) -> String {
    let help = help.trim();
    if help.is_empty() || help.ends_with(['.', '?', '!']) { help.to_owned() } else { format!("{help}.") }
}
