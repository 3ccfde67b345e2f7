//! What a row of CSV says: fields, the header, and which of its columns name a person.
//!
//! Stricter than the usual readers, and therefore not one of them: what follows a closing quote must be a
//! delimiter, and every row has as many fields as the header. A lenient reader would take two broken rows
//! for one, and the second person would go out unchecked. Only the identifiers must be UTF-8.

use std::borrow::Cow;

use crate::domain::filter::{Given, Identifiers};
use crate::domain::words::IdentifierKind;

/// What may stand between fields; the first one wins where the header does not tell.
pub(crate) const DELIMITERS: &[u8] = b",;\t";

/// What the header says of the rows below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    delimiter: &'static [u8],
    count: usize,
    /// The column of each kind of identifier.
    at: [Option<usize>; IdentifierKind::ALL.len()],
}

impl Columns {
    /// Reads a header, its delimiter included: the one by which it names the most identifiers.
    pub(super) fn of(header: &[u8]) -> Result<Self, String> {
        let mut best: Option<Self> = None;
        for delimiter in DELIMITERS.chunks(1) {
            let columns = Self::divided_by(delimiter, header)?;
            let named = |columns: &Self| (columns.at.iter().flatten().count(), columns.count);
            if best.as_ref().is_none_or(|best| named(&columns) > named(best)) {
                best = Some(columns);
            }
        }
        best.filter(|columns| columns.at.iter().any(Option::is_some)).ok_or_else(|| {
            "the header must name a column user_id, email or phone (fields separated by `,`, `;` or tab)"
                .to_owned()
        })
    }

    /// What separates the fields.
    pub(super) fn delimiter(&self) -> &'static [u8] {
        self.delimiter
    }

    fn divided_by(delimiter: &'static [u8], header: &[u8]) -> Result<Self, String> {
        let mut columns = Self { delimiter, count: 0, at: Default::default() };
        for field in fields(header, delimiter[0]) {
            // A quote that is misplaced for one delimiter may be right for another.
            let text = field.ok().and_then(text_of).unwrap_or_default();
            for &kind in IdentifierKind::ALL {
                if text.trim().eq_ignore_ascii_case(kind.as_str())
                    && columns.at[kind as usize].replace(columns.count).is_some()
                {
                    return Err(format!("the header names the column {kind} twice: remove or rename one"));
                }
            }
            columns.count += 1;
        }
        Ok(columns)
    }

    /// Reads a row's identifiers.
    pub(super) fn identifiers<'a>(&self, row: &'a [u8]) -> Result<Identifiers<'a>, String> {
        let mut identifiers = Identifiers::default();
        let mut count = 0;
        for field in fields(row, self.delimiter[0]) {
            let field = field.map_err(|Misquoted| "a quoted field must be followed by the separator")?;
            for &kind in IdentifierKind::ALL {
                if self.at[kind as usize] == Some(count) {
                    identifiers.set(kind, given(field));
                }
            }
            count += 1;
        }
        if count != self.count {
            return Err(format!("has {count} fields, the header has {}", self.count));
        }
        Ok(identifiers)
    }
}

/// An empty cell, and one of nothing but blanks, is no identifier: nobody sees a difference in a table.
fn given(field: &[u8]) -> Given<'_> {
    match text_of(field) {
        None => Given::Unusable,
        Some(text) if text.trim().is_empty() => Given::Absent,
        Some(text) => Given::Text(text),
    }
}

/// The text of a field, quotes taken off; `None` if it is not UTF-8.
pub(crate) fn text_of(field: &[u8]) -> Option<Cow<'_, str>> {
    let text = std::str::from_utf8(field).ok()?;
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Some(text.into());
    };
    Some(if inner.contains('"') { inner.replace("\"\"", "\"").into() } else { inner.into() })
}

/// After a closing quote stands something else than a delimiter, or there is no closing quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Misquoted;

/// The fields of a row, quotes included.
pub(crate) fn fields(row: &[u8], delimiter: u8) -> impl Iterator<Item = Result<&[u8], Misquoted>> {
    let mut rest = Some(without_ending(row));
    std::iter::from_fn(move || {
        let row = rest.take()?;
        let quoted = if row.first() == Some(&b'"') { quoted_bytes(row) } else { Some(0) };
        let Some(quoted) = quoted else { return Some(Err(Misquoted)) };
        let plain = row[quoted..].iter().position(|byte| *byte == delimiter);
        let end = plain.map_or(row.len(), |plain| quoted + plain);
        rest = plain.map(|_| &row[end + 1..]);
        Some(if quoted == 0 || quoted == end { Ok(&row[..end]) } else { Err(Misquoted) })
    })
}

/// How long the quoted text is that a row begins with.
fn quoted_bytes(row: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += row.get(at..)?.iter().position(|byte| *byte == b'"')? + 1;
        if row.get(at) != Some(&b'"') {
            return Some(at);
        }
        at += 1;
    }
}

fn without_ending(row: &[u8]) -> &[u8] {
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    row.strip_suffix(b"\r").unwrap_or(row)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(row: &str) -> Option<Vec<String>> {
        let text = |field: Result<&[u8], Misquoted>| Some(text_of(field.ok()?)?.into_owned());
        fields(row.as_bytes(), b',').map(text).collect()
    }

    #[test]
    fn fields_are_cut_as_rfc_4180_says() {
        for (row, expected) in [
            ("", &[""][..]),
            ("a,b", &["a", "b"]),
            ("a,\r\n", &["a", ""]),
            (",,\n", &["", "", ""]),
            ("\"a,\r\nb\",\"\"\"c\"\"\",\"\"\n", &["a,\r\nb", "\"c\"", ""]),
            ("a\"b,c \"d\"", &["a\"b", "c \"d\""]),
        ] {
            assert_eq!(texts(row).unwrap(), expected, "{row:?}");
        }
        for row in ["\"a\"b,c", "\"a\" ,b", "\"a", "\"", "a,\"b\"\""] {
            assert_eq!(texts(row), None, "{row:?}");
        }
    }

    #[test]
    fn the_header_tells_the_delimiter_and_the_columns() {
        for (header, delimiter, count, at) in [
            ("email", b',', 1, [None, Some(0), None]),
            ("user_id,email,phone\r\n", b',', 3, [Some(0), Some(1), Some(2)]),
            ("name; Phone ;EMAIL\n", b';', 3, [None, Some(2), Some(1)]),
            ("\"name, full\"\t\"User_Id\"", b'\t', 2, [Some(1), None, None]),
            ("\"a;b\",email;x,phone", b',', 3, [None, None, Some(2)]),
        ] {
            let columns = Columns::of(header.as_bytes()).unwrap();
            assert_eq!((columns.delimiter, columns.count, columns.at), (&[delimiter][..], count, at));
        }
    }

    #[test]
    fn a_header_without_identifiers_or_with_one_twice_is_refused() {
        for (header, problem) in [
            ("", "must name a column"),
            ("U-1,a@b.kz,+77771113111", "must name a column"),
            ("email|phone", "must name a column"),
            ("phone,name,Phone", "the column phone twice"),
        ] {
            let said = Columns::of(header.as_bytes()).unwrap_err();
            assert!(said.contains(problem) && !said.contains("U-1"), "{said}");
        }
    }

    #[test]
    fn a_cell_that_is_not_utf_8_is_there_but_cannot_be_used() {
        let columns = Columns::of(b"email,name").unwrap();
        let read = |row| columns.identifiers(row).map(|people| people.get(IdentifierKind::Email).clone());
        assert!(read(b"\xe0@b.kz,x") == Ok(Given::Unusable));
        assert!(read(b"a@b.kz,\xe0") == Ok(Given::Text("a@b.kz".into())));
        assert!(read(b" \t,x") == Ok(Given::Absent));
    }

    proptest! {
        #[test]
        fn what_the_csv_crate_writes_is_read_back(
            row in proptest::collection::vec("[a\",;\r\n é]{0,5}", 1..5),
        ) {
            let mut writer = csv::Writer::from_writer(vec![]);
            writer.write_record(&row).unwrap();
            let written = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            prop_assert_eq!(texts(&written).unwrap(), row);
        }

        #[test]
        fn any_bytes_are_read_without_panic(row in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = Columns::of(&row);
            let _ = Columns::of(b"email,name").unwrap().identifiers(&row);
        }
    }
}
