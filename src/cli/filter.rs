//! `suppressd filter`: cleans a file of recipients, against the live list or against a file of events.
//!
//! Names are checked before anything is opened, the events before any recipient is read, and an output
//! file appears only when it is whole. On standard output rows go out as they are decided: there, the exit
//! code says whether they are all.

mod report;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Display;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use jiff::{SignedDuration, Timestamp};

use super::console::Console;
use super::exit::{Exit, Failure};
use crate::clean::opt_outs::{self, OptOuts};
use crate::clean::output::Output;
use crate::clean::{Campaign, Format, Hashing, Recipients, Stopped, Summary, Unreadable, clean};
use crate::domain::calendar::Calendar;
use crate::domain::catalogue::Catalogue;
use crate::domain::digest::KeyRing;
use crate::domain::event::{Policy, SourcePolicy};
use crate::domain::filter::{Prepared, Verdicts, judge};
use crate::domain::identifier::Country;
use crate::domain::words::{Channel, Purpose};
use crate::settings::{Rules, load_rules};

/// By this name a file is standard input.
const STANDARD_INPUT: &str = "-";

/// Bytes that are read at once.
const READ_BYTES: usize = 64 << 10;

/// Clean a CSV or NDJSON file of recipients
#[derive(Debug, Clone, clap::Args)]
pub struct FilterArgs {
    /// The recipients: CSV with a header (`user_id`, `email`, `phone`), or NDJSON; `-` is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// How the campaign reaches people: email, sms or call
    #[arg(long, value_parser = channel)]
    pub channel: Channel,

    /// The region of these recipients: a code, or an alias of exactly one
    #[arg(long)]
    pub region: String,

    /// On whose behalf the campaign is sent
    #[arg(long)]
    pub brand: String,

    /// Where the kept recipients go; a failed run leaves no file. Standard output by default
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,

    /// Decide by the events in this NDJSON file alone: no RabbitMQ, no Redis and no key is needed
    #[arg(long, value_name = "FILE")]
    pub opt_outs: Option<PathBuf>,

    /// Print the sums as JSON on standard output
    #[arg(long, requires = "out")]
    pub json: bool,
}

fn channel(text: &str) -> Result<Channel, String> {
    Channel::parse(text).ok_or_else(|| "must be one of email, sms, call".to_owned())
}

impl FilterArgs {
    /// What the file is cleaned for, if the configuration knows the names.
    pub fn campaign(&self, catalogue: &Catalogue) -> Result<Campaign, Failure> {
        let mut unknown = Vec::new();
        let region = catalogue.region_of_job(&self.region);
        if region.is_none() {
            let codes: Vec<_> = catalogue.regions().iter().map(|region| &*region.code).collect();
            let codes = codes.join(", ");
            unknown
                .push(format!("--region: must be one of {codes}, or an alias that stands for exactly one"));
        }
        let brand = catalogue.brand(&self.brand);
        if brand.is_none() {
            unknown.push(format!("--brand: must be one of {}", catalogue.brands().join(", ")));
        }
        match (region, brand) {
            (Some(region), Some(brand)) => {
                Ok(Campaign { channel: self.channel, region: region.clone(), brand: brand.clone() })
            }
            _ => Err(Failure::new(Exit::Usage, unknown.join("\n"))),
        }
    }
}

/// Cleans the file against the events of another file: no server and no key is needed.
pub fn run_offline(
    args: &FilterArgs,
    opt_outs: &Path,
    config: &[PathBuf],
    environment: impl Iterator<Item = (String, String)>,
    now: Timestamp,
    console: &mut Console<'_>,
) -> Exit {
    let done = rules(config, environment).and_then(|rules| offline(args, opt_outs, &rules, now, console));
    ended(done, console)
}

/// Cleans the file against a list that `judge` asks, once for each batch, of which it answers as a whole.
pub fn run_live<E: Display>(
    args: &FilterArgs,
    rules: &Rules,
    keys: &KeyRing,
    mut judge: impl FnMut(&Campaign, &Prepared) -> Result<Verdicts, E>,
    console: &mut Console<'_>,
) -> Exit {
    let done = args.campaign(&rules.catalogue).and_then(|campaign| {
        let hashing = Hashing { keys, country: &country(rules)? };
        clean_file(args, &campaign, hashing, |prepared| judge(&campaign, prepared), console)
    });
    ended(done, console)
}

fn ended(done: Result<(), Failure>, console: &mut Console<'_>) -> Exit {
    match done {
        Ok(()) => Exit::Fine,
        Err(failure) => {
            console.say(&failure);
            failure.exit
        }
    }
}

fn rules(config: &[PathBuf], environment: impl Iterator<Item = (String, String)>) -> Result<Rules, Failure> {
    load_rules(config, environment).map_err(|mistakes| {
        if config.is_empty() {
            let hint = "regions, brands and sources are known from the configuration alone; \
                        pass, for example, --config config/suppressd.toml --config config/kazakhstan.toml";
            return Failure::new(Exit::Usage, hint);
        }
        Failure::new(Exit::Configuration, mistakes.to_string())
    })
}

fn country(rules: &Rules) -> Result<Country, Failure> {
    Country::parse(&rules.identifiers.default_country).ok_or_else(|| {
        let problem = "identifiers.default_country: no telephone numbering plan is known for this country";
        Failure::new(Exit::Configuration, problem)
    })
}

fn offline(
    args: &FilterArgs,
    opt_outs: &Path,
    rules: &Rules,
    now: Timestamp,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    let campaign = args.campaign(&rules.catalogue)?;
    let country = country(rules)?;
    refuse_overwriting(args, opt_outs)?;
    let OptOuts { list, keys, .. } = {
        let read = read_opt_outs(opt_outs, rules, &country, now)?;
        console.say(report::opt_outs(&read));
        read
    };
    let hashing = Hashing { keys: &keys, country: &country };
    let by_list = |prepared: &Prepared| {
        Ok::<_, Infallible>(judge(prepared, Purpose::Marketing, &campaign.brand, &list))
    };
    clean_file(args, &campaign, hashing, by_list, console)
}

/// The file of events is not to be lost by a slip of the hand.
fn refuse_overwriting(args: &FilterArgs, opt_outs: &Path) -> Result<(), Failure> {
    let place = |path: &Path| path.canonicalize().ok();
    match args.out.as_deref().and_then(place) {
        Some(out) if Some(&out) == place(opt_outs).as_ref() => {
            Err(Failure::new(Exit::Usage, "--out: is the file of --opt-outs; name another"))
        }
        _ => Ok(()),
    }
}

fn read_opt_outs(path: &Path, rules: &Rules, country: &Country, now: Timestamp) -> Result<OptOuts, Failure> {
    let sources: BTreeMap<_, _> = rules
        .sources
        .iter()
        .map(|(name, source)| {
            (name.clone(), SourcePolicy { may: source.may.clone(), users: None, clock: source.clock })
        })
        .collect();
    let future_max = SignedDuration::try_from(rules.limits.future_max).unwrap_or(SignedDuration::MAX);
    // Nobody answers for these requests, so nobody asks by when.
    let calendar = Calendar::none();
    let policy = Policy { sources: &sources, catalogue: &rules.catalogue, calendar: &calendar, future_max };
    let rules = opt_outs::Rules { policy, country, event_bytes_max: rules.limits.event_bytes_max };
    let about = "so nobody can say who opted out; nothing was written";
    let input = open(path)?;
    opt_outs::read(input, &rules, now).map_err(|fault| unreadable(path, &fault, about))
}

/// Opens, cleans, reports.
fn clean_file<E: Display>(
    args: &FilterArgs,
    campaign: &Campaign,
    hashing: Hashing<'_>,
    judge: impl FnMut(&Prepared) -> Result<Verdicts, E>,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    let about = match args.out {
        Some(_) => "nothing was written",
        None => "what was written to standard output is not whole",
    };
    let recipients = Recipients::open(open(&args.file)?, Format::of_name(&args.file))
        .map_err(|fault| unreadable(&args.file, &fault, "nothing was written"))?;
    let mut output = match &args.out {
        Some(path) => Output::file(path)
            .map_err(|fault| Failure::new(Exit::Usage, format!("--out: cannot be created: {fault}")))?,
        None => Output::stream(&mut *console.out),
    };
    let bar = progress(args, console.err_is_terminal && (args.out.is_some() || !console.out_is_terminal));
    let cleaned = clean(recipients, &mut output, campaign, hashing, judge, |bytes| bar.set_position(bytes));
    bar.finish_and_clear();
    let summary = cleaned.map_err(|stopped| match stopped {
        Stopped::Input(fault) => unreadable(&args.file, &fault, about),
        Stopped::Output(fault) => unwritable(&fault),
        Stopped::List(fault) => Failure::new(Exit::Unavailable, format!("the list: {fault}; {about}")),
    })?;
    output.finish().map_err(|fault| unwritable(&fault))?;
    tell(args, campaign, &summary, console)
}

fn tell(
    args: &FilterArgs,
    campaign: &Campaign,
    summary: &Summary,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    if args.json {
        return writeln!(console.out, "{}", report::json(campaign, summary))
            .map_err(|fault| unwritable(&fault));
    }
    console.say(report::text(campaign, summary));
    Ok(())
}

fn open(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if path.as_os_str() == STANDARD_INPUT {
        return Ok(Box::new(BufReader::with_capacity(READ_BYTES, std::io::stdin())));
    }
    let file = File::open(path).map_err(|fault| {
        Failure::new(Exit::BadData, format!("{}: cannot be opened: {fault}", path.display()))
    })?;
    Ok(Box::new(BufReader::with_capacity(READ_BYTES, file)))
}

fn unreadable(path: &Path, fault: &Unreadable, about: &str) -> Failure {
    let path = path.display();
    let message = match fault {
        Unreadable::Io(_) => format!("{path}: {fault}; {about}"),
        Unreadable::Bad(_) => format!("{path}: cannot be understood, {about}:\n{fault}"),
    };
    Failure::new(Exit::BadData, message)
}

fn unwritable(fault: &std::io::Error) -> Failure {
    Failure::new(Exit::Internal, format!("the output cannot be written to its end: {fault}"))
}

/// A bar over the bytes of the file, for somebody who watches.
fn progress(args: &FilterArgs, is_watched: bool) -> ProgressBar {
    let bytes = std::fs::metadata(&args.file).ok().filter(std::fs::Metadata::is_file);
    let (bar, style) = match bytes {
        _ if !is_watched => return ProgressBar::hidden(),
        Some(file) => {
            (ProgressBar::new(file.len()), "{bar:40} {percent:>3} %  {binary_bytes_per_sec}  {eta}")
        }
        None => (ProgressBar::new_spinner(), "{spinner} {binary_bytes}  {binary_bytes_per_sec}"),
    };
    bar.with_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()))
}
