//! A file of recipients, opened: its format, what stands before the first recipient, and its rows.

use std::io::{self, BufRead, Chain, Cursor, Read};
use std::path::Path;

use crate::codec::job;
use crate::domain::filter::Identifiers;

use super::bad_lines::Unreadable;
use super::rows::{ROW_BYTES_MAX, Row, RowFault, Rows, Shape, fill};
use super::table::{Columns, DELIMITERS};

const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF_16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// A stream whose first bytes were looked at.
type Unmarked<R> = Chain<Cursor<Vec<u8>>, R>;

/// How recipients are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A table with a header.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

impl Format {
    /// The format that a file's name promises, if it does.
    pub fn of_name(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "csv" | "tsv" => Some(Self::Csv),
            "ndjson" | "jsonl" | "json" => Some(Self::Ndjson),
            _ => None,
        }
    }

    fn of_first(byte: Option<u8>) -> Self {
        if matches!(byte, Some(b'{' | b'[')) { Self::Ndjson } else { Self::Csv }
    }
}

/// How the identifiers of a row are found.
#[derive(Debug)]
pub(super) enum Layout {
    Ndjson,
    Csv(Columns),
}

impl Layout {
    /// Reads a row's identifiers; what is wrong with it never repeats a value.
    pub(super) fn identifiers<'a>(&self, row: &'a [u8]) -> Result<Identifiers<'a>, String> {
        match self {
            Self::Csv(columns) => columns.identifiers(row),
            Self::Ndjson => job::recipient(row).map_err(|fault| fault.to_string()),
        }
    }
}

/// A file of recipients, read up to the first of them.
pub struct Recipients<R> {
    rows: Rows<Unmarked<R>>,
    layout: Layout,
    head: Vec<u8>,
}

impl<R: BufRead> Recipients<R> {
    /// Reads as far as the first recipient. Without a format, `{` begins NDJSON and everything else CSV.
    pub fn open(input: R, format: Option<Format>) -> Result<Self, Unreadable> {
        let (mut head, mut input) = without_mark(input)?;
        if UTF_16_MARKS.iter().any(|mark| input.get_ref().0.get_ref().starts_with(mark)) {
            return Err(Unreadable::line(1, "the file is UTF-16; save it as UTF-8"));
        }
        let format = match format {
            Some(format) => format,
            None => Format::of_first(first_byte(&mut input, &mut head)?),
        };
        let mut rows = Rows::new(input, Shape::Lines, ROW_BYTES_MAX);
        rows.count(&head);
        let layout = match format {
            Format::Ndjson => Layout::Ndjson,
            Format::Csv => Layout::Csv(header(&mut rows, &mut head)?),
        };
        Ok(Self { rows, layout, head })
    }

    /// What stands before the first recipient, to be written as it is.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// How many bytes were read.
    pub fn bytes_read(&self) -> u64 {
        self.rows.bytes_read()
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(super) fn next(&mut self, buffer: &mut Vec<u8>) -> Result<Option<Row>, RowFault> {
        self.rows.next(buffer)
    }
}

/// Reads the header, and empty lines before it, to the end of the head.
fn header(rows: &mut Rows<impl BufRead>, head: &mut Vec<u8>) -> Result<Columns, Unreadable> {
    rows.set_shape(Shape::Table(DELIMITERS));
    loop {
        let first = head.len();
        let row = rows.next(head).map_err(|fault| match fault {
            RowFault::Io(fault) => Unreadable::Io(fault),
            RowFault::Row { line, rule } => Unreadable::line(line, format_args!("the header {rule}")),
        })?;
        let Some(row) = row else {
            return Err(Unreadable::line(1, "the file is empty; a table begins with a header"));
        };
        if !row.is_blank {
            let columns = Columns::of(&head[first..]).map_err(|rule| Unreadable::line(row.line, rule))?;
            rows.set_shape(Shape::Table(columns.delimiter()));
            return Ok(columns);
        }
        if head.len() > ROW_BYTES_MAX {
            return Err(Unreadable::line(row.line, "nothing but empty lines so far"));
        }
    }
}

/// Takes the mark off that some programs begin UTF-8 with.
fn without_mark<R: BufRead>(mut input: R) -> io::Result<(Vec<u8>, Unmarked<R>)> {
    let mut first = Vec::with_capacity(UTF_8_MARK.len());
    input.by_ref().take(UTF_8_MARK.len() as u64).read_to_end(&mut first)?;
    let head = if first == UTF_8_MARK { std::mem::take(&mut first) } else { Vec::new() };
    Ok((head, Cursor::new(first).chain(input)))
}

/// The first byte that is not blank; white space before it goes to the head.
fn first_byte(input: &mut impl BufRead, head: &mut Vec<u8>) -> io::Result<Option<u8>> {
    while head.len() <= ROW_BYTES_MAX {
        let available = fill(input)?;
        let blank = available.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if let Some(first) = available.get(blank) {
            return Ok(Some(*first));
        }
        if blank == 0 {
            break;
        }
        head.extend_from_slice(available);
        input.consume(blank);
    }
    Ok(None)
}
