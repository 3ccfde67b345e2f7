//! The alphabet of the values: numbers, texts, times, statements.
//!
//! Numbers are LEB128, signed ones zigzag; a time that is a whole second is shorter. Reading is total.

use jiff::Timestamp;

use crate::domain::scope::{Channels, Name, Names, Scope};
use crate::domain::statement::{Families, Statement};

const FAMILIES: u8 = 0x0f;
const RESTRICTS: u8 = 1 << 4;
const SCOPED: u8 = 1 << 5;
const MICROS: u8 = 1 << 6;

pub(super) fn put_statement(bytes: &mut Vec<u8>, statement: &Statement) {
    let micros = statement.at.as_microsecond();
    let whole = micros % 1_000_000 == 0;
    let scoped = statement.scope != Scope::ALL;
    // A provisional hold is the only statement without a family of its own, and always one that restricts.
    let provisional = statement.families == Families::PROVISIONAL;
    let mut flags = if provisional { 0 } else { statement.families.bits() };
    for (set, flag) in [(statement.restricts, RESTRICTS), (scoped, SCOPED), (!whole, MICROS)] {
        flags |= if set { flag } else { 0 };
    }
    bytes.push(flags);
    put_signed(bytes, if whole { micros / 1_000_000 } else { micros });
    if scoped {
        bytes.push(statement.scope.channels.bits());
        put_names(bytes, &statement.scope.regions);
        put_names(bytes, &statement.scope.brands);
    }
}

/// No names mean all.
pub(super) fn put_names(bytes: &mut Vec<u8>, names: &Names) {
    put_number(bytes, names.listed().len() as u64);
    for name in names.listed() {
        put_text(bytes, name);
    }
}

pub(super) fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_number(bytes, text.len() as u64);
    bytes.extend(text.as_bytes());
}

/// A time by its distance from another: whole seconds, which most distances are, are short.
pub(super) fn put_distance(bytes: &mut Vec<u8>, from: Timestamp, to: Timestamp) {
    let micros = to.as_microsecond() - from.as_microsecond();
    let whole = micros % 1_000_000 == 0;
    put_signed(bytes, if whole { micros / 1_000_000 * 2 } else { micros * 2 + 1 });
}

pub(super) fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

pub(super) fn put_signed(bytes: &mut Vec<u8>, number: i64) {
    put_number(bytes, (number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned());
}

/// Takes values off the front of some bytes; `None` when they are not there.
pub(super) struct Reader<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    pub(super) fn slice(&mut self, length: usize) -> Option<&'a [u8]> {
        let (slice, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(slice)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.slice(N)?.try_into().ok()
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    pub(super) fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    pub(super) fn statement(&mut self) -> Option<Statement> {
        let flags = self.byte()?;
        let families = match flags & FAMILIES {
            0 if flags & RESTRICTS != 0 => Families::PROVISIONAL,
            bits => Families::from_bits(bits)?,
        };
        let time = self.signed()?;
        let at = if flags & MICROS == 0 {
            Timestamp::from_second(time).ok()?
        } else {
            Timestamp::from_microsecond(time).ok()?
        };
        let scope = if flags & SCOPED == 0 {
            Scope::ALL
        } else {
            let channels = Channels::from_bits(self.byte()?)?;
            Scope { channels, regions: self.names()?, brands: self.names()? }
        };
        Some(Statement { families, restricts: flags & RESTRICTS != 0, at, scope })
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        std::str::from_utf8(self.slice(length)?).ok()
    }

    pub(super) fn time(&mut self) -> Option<Timestamp> {
        Timestamp::from_microsecond(self.signed()?).ok()
    }

    pub(super) fn distance(&mut self, from: Timestamp) -> Option<Timestamp> {
        let written = self.signed()?;
        let micros = if written & 1 == 0 { (written / 2).checked_mul(1_000_000)? } else { (written - 1) / 2 };
        Timestamp::from_microsecond(from.as_microsecond().checked_add(micros)?).ok()
    }

    pub(super) fn names(&mut self) -> Option<Names> {
        let count = self.number()?;
        if count == 0 {
            return Some(Names::All);
        }
        let names: Option<Vec<Name>> = (0..count).map(|_| self.text().map(Name::from)).collect();
        Names::only(names?)
    }
}
