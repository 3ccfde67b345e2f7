//! The file, read ahead in parts by a thread of its own: a part is what one record of the ledger holds.
//!
//! Nothing of the list is known here. Parts are few and bounded, so memory does not grow with the file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::super::Stop;
use super::super::core::{amqp_user, configuration, country};
use super::{ImportFile, NotImported};
use crate::bulk::{
    Counts, Decided, Format, Opened, Refusal, Rules, State, Taking, decide, fingerprint, open,
};
use crate::codec::export::Head;
use crate::domain::calendar::Calendar;
use crate::domain::catalogue::Catalogue;
use crate::domain::digest::{HashKey, KeyCheck, KeyRing};
use crate::domain::event::{Policy, SourcePolicy};
use crate::domain::identifier::Country;
use crate::domain::record::{IMPORT_DIGESTS_MAX, IMPORT_LINES_MAX, ImportLine, ImportSubject};
use crate::service::clock::{Clock, SystemClock};
use crate::settings::{IMPORT, Settings};

/// Bytes that are read at once.
const READ_BYTES: usize = 256 << 10;

/// Parts that are read ahead.
const PARTS_AHEAD: usize = 8;

/// Lines of the file in one part, whatever they bring.
const PART_LINES_MAX: u64 = 4096;

/// How much of a file's SHA-256 names its import, in hexadecimal digits.
const NAME_DIGITS: usize = 16;

/// Some lines of the file.
pub(super) struct Part {
    /// What lines bring, each line by itself.
    pub(super) taken: Vec<Taken>,
    /// The sums of all other lines.
    pub(super) counts: Counts,
    /// Lines that are refused, with their rules.
    pub(super) refused: Vec<(u64, String)>,
    /// Where its last line begins.
    pub(super) last: u64,
    /// How much of the file was read by then.
    pub(super) bytes: u64,
}

/// What one line brings.
pub(super) struct Taken {
    pub(super) lines: Vec<ImportLine>,
    pub(super) widened: bool,
    pub(super) ignoring: bool,
    pub(super) lifts: u64,
}

/// How the file ended.
pub(super) struct Read {
    /// It is an export, and its last line is missing.
    pub(super) cut_short: bool,
    /// It is an export: its digests are under keys that its head names.
    pub(super) exported: bool,
}

/// A file, ready to be read.
pub(super) struct Reader {
    opened: Opened<BufReader<File>>,
    path: PathBuf,
    size: u64,
    judge: Judge,
    state: State,
}

/// By what lines are judged.
struct Judge {
    sources: BTreeMap<String, SourcePolicy>,
    user: String,
    catalogue: Catalogue,
    calendar: Calendar,
    country: Country,
    future_max: SignedDuration,
    keys: KeyRing,
    checks: Vec<KeyCheck>,
    /// Keys that nothing is looked up under any more.
    retired: BTreeSet<KeyCheck>,
    now: Timestamp,
    undated: Timestamp,
}

impl Reader {
    /// Opens a file. A state of the same file says where to go on.
    pub(super) async fn new(
        settings: &Settings,
        file: &ImportFile,
        state: Option<State>,
    ) -> Result<Self, NotImported> {
        let mut judge = Judge::new(settings, file.undated)?;
        let (path, format) = (file.path.clone(), file.format);
        let zone = settings.deadlines.calendar.zone().clone();
        let unreadable = |fault: std::io::Error| {
            NotImported::File(format!("{}: cannot be read: {fault}", file.path.display()))
        };
        // The whole file is read once to know it again: that takes a while.
        let opened = tokio::task::spawn_blocking(move || {
            let input = File::open(&path)?;
            let about = input.metadata()?;
            if !about.is_file() {
                let why = "is no file: an import must be able to read it twice";
                return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, why));
            }
            let sha_256 = fingerprint(&input)?;
            let input = BufReader::with_capacity(READ_BYTES, File::open(&path)?);
            Ok((sha_256, about.len(), open(input, format, zone)))
        });
        let opened = opened.await.map_err(|fault| Stop::Internal(format!("reading the file: {fault}")))?;
        let (sha_256, size, opened) = opened.map_err(unreadable)?;
        let opened =
            opened.map_err(|fault| NotImported::File(format!("{}: {fault}", file.path.display())))?;
        let format = opened.format().as_str();
        let dated = |state: &State| file.undated.is_none_or(|undated| undated == state.undated);
        let state = state.filter(|state| state.file == sha_256 && state.format == format && dated(state));
        let fresh = State {
            file: sha_256,
            format: format.to_owned(),
            undated: judge.undated,
            line: 0,
            counts: Counts::default(),
            rejected_bytes: 0,
        };
        let state = state.unwrap_or(fresh);
        judge.undated = state.undated;
        Ok(Self { opened, path: file.path.clone(), size, judge, state })
    }

    /// What look-ups call the import.
    pub(super) fn name(&self) -> &str {
        &self.state.file[..NAME_DIGITS]
    }

    /// How large the file is.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// How it is written.
    pub(super) fn format(&self) -> Format {
        self.opened.format()
    }

    /// How far an earlier run came.
    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// When the lines are read.
    pub(super) fn now(&self) -> Timestamp {
        self.judge.now
    }

    /// Under which keys the digests are.
    pub(super) fn keys(&self) -> &[KeyCheck] {
        &self.judge.checks
    }

    /// Refuses what was exported under one of these keys.
    pub(super) fn refuse(&mut self, retired: BTreeSet<KeyCheck>) {
        self.judge.retired = retired;
    }

    /// Reads on until the end, or until it is told to stop.
    pub(super) fn parts(
        self,
        stop: CancellationToken,
    ) -> (mpsc::Receiver<Part>, JoinHandle<Result<Read, NotImported>>) {
        let (out, parts) = mpsc::channel(PARTS_AHEAD);
        (parts, tokio::task::spawn_blocking(move || self.read(&out, &stop)))
    }

    fn read(mut self, out: &mpsc::Sender<Part>, stop: &CancellationToken) -> Result<Read, NotImported> {
        let path = self.path.clone();
        let unreadable =
            |fault: std::io::Error| NotImported::File(format!("{}: cannot be read: {fault}", path.display()));
        let (mut reading, mut buffer) = (Reading::new(&self.judge), Vec::new());
        let mut first = true;
        while !stop.is_cancelled() {
            let next = self.opened.next(&mut buffer).map_err(unreadable)?;
            let Some((number, content)) = next else { break };
            // Where another run goes on, only a head is looked at again.
            let done = number <= self.state.line;
            let decided = decide(number, &content, &self.judge.rules());
            if !done || matches!(decided, Decided::Head(_)) {
                reading.take(number, decided, done)?;
            }
            drop(content);
            if std::mem::take(&mut first) {
                self.opened.pass_over(self.state.line).map_err(unreadable)?;
            }
            if reading.is_full() && !reading.send(out, self.opened.bytes_read()) {
                break;
            }
        }
        reading.send(out, self.opened.bytes_read());
        let exported = reading.head;
        Ok(Read { cut_short: !stop.is_cancelled() && exported && !reading.end, exported })
    }
}

/// A part that is being filled.
struct Reading<'a> {
    judge: &'a Judge,
    part: Part,
    lines: usize,
    digests: usize,
    /// Whether the file is an export, and whether its end was seen.
    head: bool,
    end: bool,
}

impl<'a> Reading<'a> {
    fn new(judge: &'a Judge) -> Self {
        Self { judge, part: Part::empty(), lines: 0, digests: 0, head: false, end: false }
    }

    fn take(&mut self, number: u64, decided: Decided, done: bool) -> Result<(), NotImported> {
        if let Decided::Head(head) = &decided {
            self.judge.has_keys(head)?;
            // Exports may stand after each other: each has its end.
            (self.head, self.end) = (true, false);
            if done {
                return Ok(());
            }
        }
        self.part.last = number;
        let counts = &mut self.part.counts;
        match decided {
            // These hold nobody.
            Decided::Head(_) => {}
            Decided::End(_) => self.end = true,
            Decided::NotAnOptOut => {
                counts.read += 1;
                counts.not_an_opt_out += 1;
            }
            Decided::Refused(Refusal(rule)) => self.refuse(number, &rule),
            Decided::Taken(taking) => self.keep(number, taking),
        }
        Ok(())
    }

    fn keep(&mut self, number: u64, taking: Taking) {
        let Taking { lines, remarks, lifts } = taking;
        let of_an_export = lines.iter().any(|line| matches!(line.subject, ImportSubject::Digest(_)));
        if !self.head && (of_an_export || lines.is_empty()) {
            // Nobody would know under which key its digest is.
            return self.refuse(number, "a line of an export stands before the head of the export");
        }
        if lines.is_empty() {
            self.part.counts.read += 1;
            self.part.counts.lifts_only += 1;
            self.part.counts.lifts += lifts;
            return;
        }
        self.lines += lines.len();
        self.digests += lines.iter().map(ImportLine::weight).sum::<usize>();
        let (widened, ignoring) = (remarks.widened != 0, remarks.ignored != 0);
        self.part.taken.push(Taken { lines, widened, ignoring, lifts });
    }

    fn refuse(&mut self, number: u64, rule: &str) {
        self.part.counts.read += 1;
        self.part.counts.refused += 1;
        self.part.refused.push((number, rule.to_owned()));
    }

    /// Whether the next line might not fit any more.
    fn is_full(&self) -> bool {
        // A line has hardly ever more than some identifiers; one that has goes beyond the bound by itself.
        const ROOM: usize = 16;
        self.lines + ROOM > IMPORT_LINES_MAX
            || self.digests + ROOM * self.judge.checks.len() > IMPORT_DIGESTS_MAX
            || self.part.counts.read + self.part.taken.len() as u64 >= PART_LINES_MAX
    }

    /// Whether anybody takes it.
    fn send(&mut self, out: &mpsc::Sender<Part>, bytes: u64) -> bool {
        let mut part = std::mem::replace(&mut self.part, Part::empty());
        (self.lines, self.digests) = (0, 0);
        part.bytes = bytes;
        part.last == 0 || out.blocking_send(part).is_ok()
    }
}

impl Part {
    fn empty() -> Self {
        Self { taken: vec![], counts: Counts::default(), refused: vec![], last: 0, bytes: 0 }
    }
}

impl Judge {
    fn new(settings: &Settings, undated: Option<Timestamp>) -> Result<Self, Stop> {
        let source = settings.sources.get(IMPORT).ok_or_else(|| {
            configuration(
                "[sources.import]: is not configured, so no file may be imported; add \
                 may = [\"opt_out\", \"hold\", \"complaint\", \"bounce\"]",
            )
        })?;
        let source =
            SourcePolicy { may: source.may.clone(), users: source.users.clone(), clock: source.clock };
        let now = SystemClock.now();
        let keys = settings.hashing.key_ring.clone();
        Ok(Self {
            sources: BTreeMap::from([(IMPORT.to_owned(), source)]),
            // Nobody waits for these requests, so nobody asks by when.
            calendar: Calendar::none(),
            user: amqp_user(settings)?,
            catalogue: settings.catalogue.clone(),
            country: country(settings)?,
            future_max: SignedDuration::try_from(settings.limits.future_max).unwrap_or(SignedDuration::MAX),
            checks: keys.keys().iter().map(HashKey::check).collect(),
            retired: BTreeSet::new(),
            keys,
            now,
            undated: undated.unwrap_or(now),
        })
    }

    fn rules(&self) -> Rules<'_> {
        Rules {
            source: IMPORT,
            user: &self.user,
            policy: Policy {
                sources: &self.sources,
                catalogue: &self.catalogue,
                calendar: &self.calendar,
                future_max: self.future_max,
            },
            country: &self.country,
            keys: &self.keys,
            now: self.now,
            undated: self.undated,
        }
    }

    /// Digests under other keys would be found by nobody.
    fn has_keys(&self, head: &Head) -> Result<(), Stop> {
        if let Some(key) = head.keys.iter().find(|key| self.retired.contains(key)) {
            return Err(configuration(format!(
                "the export was made under key {key}, which is retired here: its digests would be found by nobody"
            )));
        }
        match head.keys.iter().find(|key| !self.checks.contains(key)) {
            None => Ok(()),
            Some(key) => Err(configuration(format!(
                "the export was made under key {key}, which hashing.key_files does not have: its digests would \
                 be found by nobody; add that key's file"
            ))),
        }
    }
}
