//! What is in force for one identifier, as few lines: one a statement, the general before the special.
//!
//! Each family is told by itself, because each is lifted by itself: what lies beneath a hold is seen too. Within a
//! family a later line wins where two cover the same point, so the lines say of every point what the list says.

use super::scope::{Names, Scope};
use super::statement::{Families, Statement};
use super::words::Removal;

/// One statement that decides somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The family that it is told in.
    pub family: Families,
    /// Why a recipient is removed in this family.
    pub removal: Removal,
    /// The statement: it restricts, or it is an exception to an earlier line that does.
    pub statement: Statement,
    /// Whether it is an exception to an earlier line, or lies within one.
    pub within: bool,
}

/// The lines of what stands, in its order of precedence, the strongest family first. None: nothing is in force.
pub fn lines(standing: &[Statement]) -> Vec<Line> {
    let mut all = Vec::new();
    for (family, removal) in Families::EACH {
        let mut lines: Vec<Line> = Vec::new();
        for statement in standing.iter().filter(|statement| statement.families.meets(family)) {
            let above = |restricts: bool| {
                lines.iter().any(|line| {
                    line.statement.restricts == restricts && meet(&line.statement.scope, &statement.scope)
                })
            };
            // What lifts nothing is nothing in force.
            let within = above(true) || above(false);
            if statement.restricts || above(true) {
                lines.push(Line { family, removal, statement: statement.clone(), within });
            }
        }
        all.append(&mut lines);
    }
    all
}

/// Whether some point lies in both.
fn meet(one: &Scope, other: &Scope) -> bool {
    one.channels.bits() & other.channels.bits() != 0
        && names_meet(&one.regions, &other.regions)
        && names_meet(&one.brands, &other.brands)
}

fn names_meet(one: &Names, other: &Names) -> bool {
    match (one, other) {
        (Names::All, _) | (_, Names::All) => true,
        (Names::Only(names), other) => names.iter().any(|name| other.covers(name)),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::scope::Channels;
    use crate::domain::statement::Statements;
    use crate::domain::words::{Channel, EventKind};

    fn said(kind: EventKind, second: i64, scope: Scope) -> Statement {
        Statement::of(kind, Timestamp::from_second(second).unwrap(), scope).unwrap()
    }

    fn scope(regions: &[&str], channels: &[Channel], brands: &[&str]) -> Scope {
        let names =
            |names: &[&str]| Names::only(names.iter().map(|name| (*name).into())).unwrap_or(Names::All);
        Scope {
            regions: names(regions),
            channels: Channels::only(channels.iter().copied()).unwrap_or(Channels::ALL),
            brands: names(brands),
        }
    }

    fn told(said: impl IntoIterator<Item = Statement>) -> Vec<(Removal, bool, i64, bool)> {
        let lines = lines(Statements::new(said).as_slice());
        let of =
            |line: Line| (line.removal, line.statement.restricts, line.statement.at.as_second(), line.within);
        lines.into_iter().map(of).collect()
    }

    #[test]
    fn what_holds_everywhere_is_one_line_however_often_it_was_said() {
        let said = [
            said(EventKind::OptOut, 1, scope(&["KZ-79"], &[], &[])),
            said(EventKind::OptOut, 2, scope(&[], &[Channel::Sms], &["lulla.kz"])),
            said(EventKind::OptOut, 3, Scope::ALL),
        ];
        assert_eq!(told(said), [(Removal::OptOut, true, 3, false)]);
    }

    #[test]
    fn an_exception_stands_below_the_line_that_it_is_an_exception_to() {
        let everywhere = said(EventKind::OptOut, 1, Scope::ALL);
        let but = said(EventKind::OptIn, 2, scope(&["KZ-79"], &[Channel::Sms], &[]));
        let again = said(EventKind::OptOut, 3, scope(&["KZ-79"], &[Channel::Sms], &["lulla.kz"]));
        assert_eq!(
            told([again, everywhere, but]),
            [
                (Removal::OptOut, true, 1, false),
                (Removal::OptOut, false, 2, true),
                (Removal::OptOut, true, 3, true)
            ]
        );
    }

    #[test]
    fn what_was_lifted_and_what_lifts_nothing_is_no_line() {
        let out = said(EventKind::OptOut, 1, scope(&[], &[Channel::Sms], &[]));
        let back = said(EventKind::OptIn, 2, Scope::ALL);
        assert_eq!(told([out.clone(), back]), []);
        let elsewhere = said(EventKind::OptIn, 2, scope(&[], &[Channel::Email], &[]));
        assert_eq!(told([out, elsewhere]), [(Removal::OptOut, true, 1, false)]);
        assert_eq!(told([]), []);
    }

    #[test]
    fn what_lies_beneath_a_hold_is_told_too_and_the_strongest_first() {
        let said = [
            said(EventKind::Bounce, 1, scope(&[], &[Channel::Email], &[])),
            said(EventKind::OptOut, 2, Scope::ALL),
            said(EventKind::Hold, 3, Scope::ALL),
        ];
        assert_eq!(
            told(said),
            [
                (Removal::Hold, true, 3, false),
                (Removal::OptOut, true, 2, false),
                (Removal::Bounce, true, 1, false)
            ]
        );
    }

    #[test]
    fn a_provisional_hold_is_a_line_of_its_own_beside_an_ordinary_one() {
        let provisional = Statement::provisional(Timestamp::from_second(5).unwrap());
        let released = said(EventKind::Release, 6, Scope::ALL);
        let standing = [said(EventKind::Hold, 1, Scope::ALL), provisional];
        let told = |standing: &[Statement]| -> Vec<_> {
            lines(standing).into_iter().map(|line| (line.family, line.removal, line.within)).collect()
        };
        let provisional = (Families::PROVISIONAL, Removal::Hold, false);
        assert_eq!(told(&standing), [(Families::HOLD, Removal::Hold, false), provisional]);
        let [_, hold] = standing;
        assert_eq!(told(&[released, hold]), [provisional], "no release ends it");
    }

    fn any_statement() -> impl Strategy<Value = Statement> {
        let dimension = prop::sample::select(vec![&[][..], &["a"], &["b"], &["a", "b"]]);
        let channels = prop::sample::select(vec![&[][..], &[Channel::Sms], &[Channel::Sms, Channel::Email]]);
        let kind = prop::sample::select(vec![
            EventKind::OptOut,
            EventKind::OptIn,
            EventKind::Complaint,
            EventKind::Hold,
            EventKind::Release,
        ]);
        (kind, 0..6i64, dimension.clone(), channels, dimension).prop_map(
            |(kind, second, regions, channels, brands)| said(kind, second, scope(regions, channels, brands)),
        )
    }

    proptest! {
        /// Painting the lines of each family in their order gives what the list says, at every point.
        #[test]
        fn the_lines_say_of_every_point_what_the_list_says(said in prop::collection::vec(any_statement(), 0..8)) {
            let standing = Statements::new(said);
            let lines = lines(standing.as_slice());
            for region in ["a", "b", "c"] {
                for channel in Channel::ALL {
                    for brand in ["a", "b", "c"] {
                        let painted = Families::EACH.iter().find_map(|(family, removal)| {
                            let mut covering =
                                lines.iter().filter(|line| line.family == *family).rev();
                            let last = covering
                                .find(|line| line.statement.scope.covers(region, *channel, brand))?;
                            last.statement.restricts.then_some(*removal)
                        });
                        prop_assert_eq!(painted, standing.removal(region, *channel, brand));
                    }
                }
            }
            if lines.is_empty() {
                prop_assert!(standing.as_slice().iter().all(|statement| !statement.restricts));
            }
        }
    }
}
