//! Cuts a stream into rows without changing a byte, one bounded row at a time.
//!
//! A row of a table may span lines within quotes, so where it ends depends on the delimiter; the rules are
//! RFC 4180's, and a lone CR ends a row as well. A row that would grow beyond its bound, and a quote that is
//! open at the end of the file, are faults: both mean that people were swallowed by the row before them.

use std::io::{self, BufRead, ErrorKind};

/// The most bytes of one row.
pub const ROW_BYTES_MAX: usize = 1 << 20;

/// What separates and ends rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A row is a line.
    Lines,
    /// A row is made of fields with one of these between them.
    Table(&'static [u8]),
}

/// One row, appended to the buffer that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Whether nothing stands in it.
    pub is_blank: bool,
}

/// Why there is no next row.
#[derive(Debug)]
pub(crate) enum RowFault {
    /// The stream fails.
    Io(io::Error),
    /// The row that begins on this line has no end.
    Row { line: u64, rule: String },
}

impl From<io::Error> for RowFault {
    fn from(fault: io::Error) -> Self {
        Self::Io(fault)
    }
}

/// The rows of a stream.
pub(crate) struct Rows<R> {
    input: R,
    shape: Shape,
    row_bytes_max: usize,
    /// The line on which the next row begins.
    line: u64,
    bytes_read: u64,
}

/// Where in a table's row a byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    FieldStart,
    Plain,
    Quoted,
    /// After a quote within quotes: either the last one, or the first of two that mean one.
    Closing,
}

impl<R: BufRead> Rows<R> {
    pub(crate) fn new(input: R, shape: Shape, row_bytes_max: usize) -> Self {
        Self { input, shape, row_bytes_max, line: 1, bytes_read: 0 }
    }

    /// Reads the rows that follow in another shape.
    pub(crate) fn set_shape(&mut self, shape: Shape) {
        self.shape = shape;
    }

    /// Takes note of bytes that were read before.
    pub(crate) fn count(&mut self, bytes: &[u8]) {
        self.bytes_read += bytes.len() as u64;
        self.line += lines_in(bytes);
    }

    /// How many bytes the rows had so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Appends the next row, its ending included; `None` at the end of the stream.
    pub(crate) fn next(&mut self, buffer: &mut Vec<u8>) -> Result<Option<Row>, RowFault> {
        let (first, line) = (buffer.len(), self.line);
        let mut at = At::FieldStart;
        loop {
            let available = fill(&mut self.input)?;
            if available.is_empty() {
                break;
            }
            let end = self.shape.end(&mut at, available);
            let taken = end.unwrap_or(available.len());
            buffer.extend_from_slice(&available[..taken]);
            self.input.consume(taken);
            if buffer.len() - first > self.row_bytes_max {
                let hint = if at == At::Quoted { " (is a quote never closed?)" } else { "" };
                let rule = format!("is longer than {} bytes{hint}", self.row_bytes_max);
                return Err(RowFault::Row { line, rule });
            }
            if end.is_some() {
                at = At::FieldStart;
                self.take_line_feed(buffer)?;
                break;
            }
        }
        if at == At::Quoted {
            let rule = "opens a quote that is never closed".to_owned();
            return Err(RowFault::Row { line, rule });
        }
        let row = &buffer[first..];
        let is_blank = row.iter().all(|byte| self.shape.is_blank(*byte));
        let is_there = !row.is_empty();
        self.count(&buffer[first..]);
        Ok(is_there.then_some(Row { line, is_blank }))
    }

    /// After a CR that ends a row: the LF that belongs to it.
    fn take_line_feed(&mut self, buffer: &mut Vec<u8>) -> io::Result<()> {
        if buffer.last() == Some(&b'\r') && fill(&mut self.input)?.first() == Some(&b'\n') {
            buffer.push(b'\n');
            self.input.consume(1);
        }
        Ok(())
    }
}

impl Shape {
    /// Goes over bytes; answers with the place after the row's last one, if it is among them.
    fn end(self, at: &mut At, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Lines => bytes.iter().position(|byte| *byte == b'\n').map(|last| last + 1),
            Self::Table(delimiters) => {
                for (index, byte) in bytes.iter().enumerate() {
                    *at = match (*at, *byte) {
                        (At::Quoted, b'"') => At::Closing,
                        (At::Quoted, _) | (At::FieldStart | At::Closing, b'"') => At::Quoted,
                        (_, b'\n' | b'\r') => return Some(index + 1),
                        (_, byte) if delimiters.contains(&byte) => At::FieldStart,
                        _ => At::Plain,
                    };
                }
                None
            }
        }
    }

    fn is_blank(self, byte: u8) -> bool {
        // In a table of tabs a tab is a delimiter: a row of empty fields is a row.
        matches!(byte, b' ' | b'\r' | b'\n') || self == Self::Lines && byte == b'\t'
    }
}

/// Lines that a row ends or spans. A CR ends a line only where it ends the row.
fn lines_in(row: &[u8]) -> u64 {
    let feeds = row.split(|byte| *byte == b'\n').count() as u64 - 1;
    feeds + u64::from(row.last() == Some(&b'\r'))
}

/// `fill_buf`, again if a signal came in between. (Borrowing the buffer out of a loop takes two calls.)
pub(crate) fn fill(input: &mut impl BufRead) -> io::Result<&[u8]> {
    while let Err(fault) = input.fill_buf() {
        if fault.kind() != ErrorKind::Interrupted {
            return Err(fault);
        }
    }
    input.fill_buf()
}
