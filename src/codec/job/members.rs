//! The named members of an object.

use super::cursor::{Cursor, Stop};
use super::raw;

/// Why the named members of an object cannot be taken out of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Misshapen {
    /// It is no object.
    NoObject,
    /// The member at this place stands in it twice.
    Twice(usize),
    /// It cannot be walked to its end.
    Stopped(Stop),
}

impl From<Stop> for Misshapen {
    fn from(stop: Stop) -> Self {
        Self::Stopped(stop)
    }
}

/// Walks over an object, whose values may be so deep. The text of each named member's value at the place that
/// `named` gives its name, all others passed over; and where the object ends.
pub(super) fn members<'a, const N: usize>(
    cursor: &mut Cursor<'a>,
    levels_max: usize,
    named: impl Fn(&str) -> Option<usize>,
) -> Result<([Option<&'a str>; N], usize), Misshapen> {
    if cursor.byte() != Some(b'{') {
        return Err(Misshapen::NoObject);
    }
    let mut found = [None; N];
    let end = cursor.object(|cursor, name| {
        let value = cursor.value(levels_max)?;
        match raw::named(name, &named) {
            Some(place) if found[place].replace(value).is_some() => Err(Misshapen::Twice(place)),
            _ => Ok(()),
        }
    })?;
    Ok((found, end))
}
