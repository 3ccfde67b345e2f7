//! A file, opened: how it is written, whose it is, where its lines begin.
//!
//! Its first bytes decide, unless a format is named. Lines are cut by the rows of `clean`, which never take two
//! broken rows for one; a JSON document is cut into its objects.

use std::borrow::Cow;
use std::io::{self, BufRead, Chain, Cursor, Read};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::clean::{DELIMITERS, ROW_BYTES_MAX, RowFault, Rows, Shape, Unreadable, fields, text_of};
use crate::codec::event::{Body, EventLine};
use crate::codec::export;
use crate::codec::flat::Flat;
use crate::domain::event::Wanted;
use crate::domain::filter::{Given, Identifiers};
use crate::domain::words::{EventKind, IdentifierKind};

use super::fields::{Field, Fields, field, guess};
use super::moment::moment;
use super::objects::{self, Objects};
use super::products::{self, NO_TIME};
use super::{Content, Format, Said, Saying};

/// Bytes that are looked at to tell what the file is.
const BEGINNING_BYTES: u64 = 64 << 10;

const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF_16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

type Begun<R> = Chain<Cursor<Vec<u8>>, R>;

/// A file, read up to its first line.
pub struct Opened<R> {
    cut: Cut<R>,
    layout: Layout,
}

/// Cuts a file into lines.
struct Cut<R> {
    source: Source<R>,
    /// A line that was read in search of another.
    first: Option<(u64, Option<String>, Vec<u8>)>,
    ended: bool,
}

enum Source<R> {
    Rows(Rows<Begun<R>>),
    Objects(Objects<Begun<R>>),
}

/// Reads lines.
struct Layout {
    format: Format,
    zone: TimeZone,
    shape: Written,
}

enum Written {
    /// Fields by their columns.
    Table { delimiter: u8, columns: Vec<Option<Field>> },
    /// Objects with a product's members.
    Members,
    /// Events, objects like them, and the lines of exports.
    Events,
}

/// Opens a file. Times without an offset are of this zone.
pub fn open<R: BufRead>(
    mut input: R,
    format: Option<Format>,
    zone: TimeZone,
) -> Result<Opened<R>, Unreadable> {
    let mut beginning = Vec::new();
    input.by_ref().take(BEGINNING_BYTES).read_to_end(&mut beginning)?;
    if UTF_16_MARKS.iter().any(|mark| beginning.starts_with(mark)) {
        return Err(Unreadable::line(1, "the file is UTF-16; save it as UTF-8"));
    }
    let marked = if beginning.starts_with(UTF_8_MARK) { UTF_8_MARK.len() } else { 0 };
    let beginning = beginning.split_off(marked);
    let is_json = matches!(beginning.trim_ascii_start().first(), Some(b'{' | b'['));
    match (is_json, format) {
        (true, Some(Format::Csv)) => Err(Unreadable::line(1, "the file is JSON, not CSV")),
        (false, Some(Format::Ndjson)) => Err(Unreadable::line(1, "the file is not JSON")),
        (true, format) => Ok(json(beginning, input, format, zone)),
        (false, format) => table(beginning, input, format, zone),
    }
}

fn json<R: BufRead>(beginning: Vec<u8>, input: R, format: Option<Format>, zone: TimeZone) -> Opened<R> {
    let sample = objects::first(&beginning).unwrap_or_default();
    let whose = || Flat::parse(&sample).ok().and_then(|flat| guess(flat.members().map(|(name, _)| name)));
    let format = format.or_else(whose).unwrap_or(Format::Ndjson);
    let first_line = beginning.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_lines = objects::is_line(first_line);
    let shape = if format == Format::Ndjson { Written::Events } else { Written::Members };
    let input = Cursor::new(beginning).chain(input);
    let source = if is_lines {
        Source::Rows(Rows::new(input, Shape::Lines, ROW_BYTES_MAX))
    } else {
        Source::Objects(Objects::new(input))
    };
    Opened { cut: Cut { source, first: None, ended: false }, layout: Layout { format, zone, shape } }
}

fn table<R: BufRead>(
    beginning: Vec<u8>,
    input: R,
    format: Option<Format>,
    zone: TimeZone,
) -> Result<Opened<R>, Unreadable> {
    let input = Cursor::new(beginning).chain(input);
    let mut rows = Rows::new(input, Shape::Table(DELIMITERS), ROW_BYTES_MAX);
    let mut header = Vec::new();
    let line = header_of(&mut rows, &mut header)?;
    let mut table = Table::of(&header, format)
        .ok_or_else(|| Unreadable::line(line, "the header is not UTF-8; save the file as UTF-8"))?;
    let mut first = None;
    if table.format == Format::Ses && table.known() == 0 && header.contains(&b'@') {
        // What SES itself takes has no header: addresses with their reasons.
        table.delimiter = b",";
        table.columns = vec![Some(Field::Email), Some(Field::Reason)];
        first = Some((line, None, header));
    }
    let Table { delimiter, format, columns } = table;
    check(format, &columns).map_err(|rule| Unreadable::line(line, rule))?;
    rows.set_shape(Shape::Table(delimiter));
    let shape = Written::Table { delimiter: delimiter[0], columns };
    let cut = Cut { source: Source::Rows(rows), first, ended: false };
    Ok(Opened { cut, layout: Layout { format, zone, shape } })
}

/// Reads as far as the first row that is not blank; on which line it begins.
fn header_of(rows: &mut Rows<impl BufRead>, header: &mut Vec<u8>) -> Result<u64, Unreadable> {
    loop {
        header.clear();
        let row = rows.next(header).map_err(|fault| match fault {
            RowFault::Io(fault) => Unreadable::Io(fault),
            RowFault::Row { line, rule } => Unreadable::line(line, format_args!("the header {rule}")),
        })?;
        match row {
            None => return Err(Unreadable::line(1, "the file is empty")),
            Some(row) if row.is_blank => {}
            Some(row) => return Ok(row.line),
        }
    }
}

/// What a header says.
struct Table {
    delimiter: &'static [u8],
    format: Format,
    columns: Vec<Option<Field>>,
}

impl Table {
    /// With the delimiter by which it names the most that is known; `None`: it is no text.
    fn of(header: &[u8], format: Option<Format>) -> Option<Self> {
        let tables = DELIMITERS.chunks(1).filter_map(|delimiter| Self::divided_by(delimiter, header, format));
        // Of equals the last one wins, and that is to be the delimiter named first.
        tables.rev().max_by_key(|table| (table.known(), table.columns.len()))
    }

    fn divided_by(delimiter: &'static [u8], header: &[u8], format: Option<Format>) -> Option<Self> {
        // A quote that is misplaced for one delimiter may be right for another.
        let names = fields(header, delimiter[0]).map(|field| field.map_or(Some("".into()), text_of));
        let names: Vec<Cow<'_, str>> = names.collect::<Option<_>>()?;
        let format = format.or_else(|| guess(names.iter().map(|name| &**name))).unwrap_or(Format::Csv);
        let columns = names.iter().map(|name| field(format, name)).collect();
        Some(Self { delimiter, format, columns })
    }

    fn known(&self) -> usize {
        self.columns.iter().flatten().count()
    }
}

/// Whether the columns are enough to say who opted out, and say nothing twice.
fn check(format: Format, columns: &[Option<Field>]) -> Result<(), String> {
    let has = |field| columns.contains(&Some(field));
    if !(has(Field::UserId) || has(Field::Email) || has(Field::Phone)) {
        let names = match format {
            Format::Mailgun => "address",
            Format::Sendgrid | Format::Ses | Format::Listmonk => "email",
            Format::Mautic => "email, phone or mobile",
            Format::Csv | Format::Ndjson => "user_id, email or phone",
        };
        return Err(format!("the header must name a column {names} (fields separated by `,`, `;` or tab)"));
    }
    let says = match format {
        Format::Ses if !has(Field::Reason) => Some("Reason"),
        Format::Listmonk if !has(Field::Status) && !has(Field::Hardness) => Some("status or type"),
        Format::Mautic if !has(Field::Reason) && !has(Field::DoNotContact) => {
            Some("reason or dnc_preferences: without one the file does not say who must not be contacted")
        }
        _ => None,
    };
    if let Some(names) = says {
        return Err(format!("the header must name a column {names}"));
    }
    let twice =
        [Field::Kind, Field::At, Field::Regions, Field::Channels, Field::Brands, Field::Scope, Field::Reason];
    match twice.iter().find(|field| columns.iter().filter(|column| **column == Some(**field)).count() > 1) {
        Some(Field::At) => Err("the header names the time twice: remove or rename a column".to_owned()),
        Some(_) => Err("the header names the same thing twice: remove or rename a column".to_owned()),
        None => Ok(()),
    }
}

impl<R: BufRead> Opened<R> {
    /// The next line that holds something, with its number. What cannot be cut into lines any more is the last one.
    pub fn next<'a>(&mut self, buffer: &'a mut Vec<u8>) -> io::Result<Option<(u64, Content<'a>)>> {
        match self.cut.next(buffer)? {
            None => Ok(None),
            Some((line, Some(rule))) => Ok(Some((line, Content::Wrong(rule.into())))),
            Some((line, None)) => Ok(Some((line, self.layout.content(buffer)))),
        }
    }

    /// Passes over everything up to the line that begins here.
    pub fn pass_over(&mut self, line: u64) -> io::Result<()> {
        if line == 0 {
            return Ok(());
        }
        let mut buffer = Vec::new();
        loop {
            match self.cut.next(&mut buffer)? {
                Some((at, rule)) if at > line => {
                    self.cut.first = Some((at, rule, buffer));
                    break;
                }
                Some(_) => {}
                None => break,
            }
        }
        Ok(())
    }

    /// How many bytes were read.
    pub fn bytes_read(&self) -> u64 {
        match &self.cut.source {
            Source::Rows(rows) => rows.bytes_read(),
            Source::Objects(objects) => objects.bytes_read(),
        }
    }

    /// Whose way of writing the file has.
    pub fn format(&self) -> Format {
        self.layout.format
    }
}

impl<R: BufRead> Cut<R> {
    /// Replaces the buffer by the next line that is not blank: where it begins, and the rule that it breaks if it
    /// has no end.
    fn next(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<(u64, Option<String>)>> {
        if let Some((line, rule, text)) = self.first.take() {
            *buffer = text;
            return Ok(Some((line, rule)));
        }
        while !self.ended {
            buffer.clear();
            let row = match &mut self.source {
                Source::Rows(rows) => rows.next(buffer),
                Source::Objects(objects) => objects.next(buffer),
            };
            match row {
                Ok(Some(row)) if row.is_blank => {}
                Ok(Some(row)) => return Ok(Some((row.line, None))),
                Ok(None) => self.ended = true,
                Err(RowFault::Io(fault)) => return Err(fault),
                Err(RowFault::Row { line, rule }) => {
                    self.ended = true;
                    return Ok(Some((line, Some(format!("{rule}; nothing after it is read")))));
                }
            }
        }
        Ok(None)
    }
}

impl Layout {
    /// Reads a line.
    fn content<'a>(&self, line: &'a [u8]) -> Content<'a> {
        match &self.shape {
            Written::Table { delimiter, columns } => self.row(line, *delimiter, columns),
            Written::Members => self.members(line.trim_ascii()),
            Written::Events => event(line.trim_ascii(), &self.zone),
        }
    }

    fn row<'a>(&self, line: &'a [u8], delimiter: u8, columns: &[Option<Field>]) -> Content<'a> {
        let mut found = Vec::with_capacity(columns.len());
        let mut count = 0;
        for field in fields(line, delimiter) {
            let Ok(text) = field else {
                return Content::Wrong("a quoted field must be followed by the separator".into());
            };
            if let Some(Some(column)) = columns.get(count) {
                let given = match text_of(text) {
                    None => Given::Unusable,
                    Some(text) if text.trim().is_empty() => Given::Absent,
                    Some(text) => Given::Text(text),
                };
                found.push((*column, given));
            }
            count += 1;
        }
        if count != columns.len() {
            return Content::Wrong(format!("has {count} fields, the header has {}", columns.len()).into());
        }
        products::content(self.format, Fields(found), &self.zone)
    }

    fn members<'a>(&self, line: &[u8]) -> Content<'a> {
        let flat = match Flat::parse(line) {
            Ok(flat) => flat,
            Err(fault) => return Content::Wrong(fault.to_string().into()),
        };
        let known =
            flat.members().filter_map(|(name, given)| Some((field(self.format, name)?, owned(given))));
        products::content(self.format, Fields(known.collect()), &self.zone)
    }
}

/// A line of an export, or an event.
fn event<'a>(line: &[u8], zone: &TimeZone) -> Content<'a> {
    if line.starts_with(b"{\"digest\":") || line.starts_with(b"{\"suppressd_export") {
        return match export::read(line) {
            Ok(export::Line::Head(head)) => Content::Head(head),
            Ok(export::Line::Person(digest, stands)) => Content::Exported(digest, stands),
            Ok(export::Line::End(end)) => Content::End(end),
            Err(fault) => Content::Wrong(fault.to_string().into()),
        };
    }
    let body = match Body::parse(line) {
        Ok(body) => body,
        Err(fault) => return Content::Wrong(fault.to_string().into()),
    };
    let event = match body.line() {
        Ok(event) => event,
        Err(fault) => return Content::Wrong(fault.to_string().into()),
    };
    let at = event.occurred_at.map(|text| moment(text, zone));
    if at == Some(None) {
        return Content::Wrong(NO_TIME.into());
    }
    Content::Said(said(&event, at.flatten()))
}

fn said<'a>(event: &EventLine<'_>, at: Option<Timestamp>) -> Said<'a> {
    let Wanted { regions, channels, brands } = &event.scope;
    let names = |names: &Option<Vec<&str>>| {
        names.as_ref().map(|names| names.iter().map(|name| (*name).to_owned()).collect())
    };
    let place = [names(regions), names(channels), names(brands)];
    let people = event.people.iter().map(|person| {
        let mut own = Identifiers::default();
        for kind in IdentifierKind::ALL {
            own.set(*kind, owned(person.get(*kind).clone()));
        }
        own
    });
    let kind = event.kind.unwrap_or(EventKind::OptOut);
    Said { people: people.collect(), sayings: vec![Saying { kind, at, place }] }
}

fn owned<'a>(given: Given<'_>) -> Given<'a> {
    match given {
        Given::Absent => Given::Absent,
        Given::Unusable => Given::Unusable,
        Given::Text(text) => Given::Text(Cow::Owned(text.into_owned())),
    }
}
