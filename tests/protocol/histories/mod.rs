//! The histories, by what goes wrong in them.
//!
//! 14, 20 and 21 are here as far as workers show them; the fold's own tests have the rest of them, and 22. 28 is about
//! a script in a real Redis.

mod applying;
mod campaigns;
mod deadlines;
mod emptied;
mod failover;
mod jobs;
mod ledger_end;
mod ledger_lost;
mod loading;
mod lost_tail;

use std::collections::BTreeSet;

use crate::world::Person;

const ALICE: Person = Person(1);
const BOB: Person = Person(2);
const CAROL: Person = Person(3);

/// Whom an output may keep.
fn only<const N: usize>(people: [Person; N]) -> BTreeSet<Person> {
    people.into()
}
