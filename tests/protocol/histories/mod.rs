//! The histories, by what goes wrong in them.
//!
//! Of the 28, three are not here. 14 and 20 to 22 are decided by the fold, and are here as far as a worker shows it;
//! the fold's own tests have the rest. 28 is about a script in a real Redis.

mod applying;
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
