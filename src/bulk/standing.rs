//! What a line would add to what stands already.
//!
//! For whoever wants to know before: the fold decides again, and it alone counts.

use crate::domain::record::ImportLine;
use crate::domain::scope::{Name, Names};
use crate::domain::statement::{Kept, Statement, strongest};
use crate::domain::words::Channel;

/// A name that is on no list: what holds for it holds for every name that nobody mentioned.
const ANY_OTHER: &str = "";

/// What a line finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// What it means for those whom it names.
    pub already: Already,
    /// Whether it says anything that is not kept yet, be it that it counts nowhere today.
    pub adds: bool,
}

/// What a line means for those whom it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Already {
    /// All of them are restricted wherever it holds, by whatever.
    Known,
    /// Something later counts instead, such as an opt-in.
    Superseded,
    /// It restricts somebody somewhere who was not.
    New,
}

/// Compares a line with what is kept of each of its digests.
pub fn already(line: &ImportLine, kept: &[&Kept]) -> Found {
    let mut found = Found { already: Already::Superseded, adds: false };
    let Some(statement) = line.statement() else { return found };
    let (mut all_restricted, mut any_new) = (true, false);
    for kept in kept {
        let then = kept.with([statement.clone()]);
        found.adds |= then != **kept;
        if !restricted(kept.standing.as_slice(), &statement) {
            all_restricted = false;
            any_new |= then.standing != kept.standing;
        }
    }
    found.already = match (all_restricted, any_new) {
        (true, _) => Already::Known,
        (false, true) => Already::New,
        (false, false) => Already::Superseded,
    };
    found
}

/// Whether something restricts at every point of the statement's scope.
fn restricted(standing: &[Statement], statement: &Statement) -> bool {
    let regions = points(&statement.scope.regions, standing.iter().map(|said| &said.scope.regions));
    let brands = points(&statement.scope.brands, standing.iter().map(|said| &said.scope.brands));
    let channels = Channel::ALL.iter().filter(|channel| statement.scope.channels.covers(**channel));
    let rules = standing.iter().map(|said| (said.families, said.restricts, &said.scope));
    let at = |region: &&str, channel: Channel| {
        brands.iter().all(|brand| strongest(&rules, region, channel, brand).is_some())
    };
    !standing.is_empty() && channels.clone().all(|channel| regions.iter().all(|region| at(region, *channel)))
}

/// The names of a dimension at which something may differ.
fn points<'a>(wanted: &'a Names, others: impl Iterator<Item = &'a Names>) -> Vec<&'a str> {
    let own = |names: &'a [Name]| names.iter().map(|name| &**name);
    match wanted {
        Names::Only(names) => own(names).collect(),
        Names::All => others.flat_map(|names| own(names.listed())).chain([ANY_OTHER]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::digest::Digest;
    use crate::domain::record::ImportSubject;
    use crate::domain::scope::{Channels, Scope};
    use crate::domain::words::EventKind::{self, Bounce, OptIn, OptOut};

    fn narrow() -> Scope {
        Scope {
            regions: Names::only(["KZ-79".into()]).unwrap(),
            channels: Channels::only([Channel::Sms]).unwrap(),
            brands: Names::All,
        }
    }

    fn said(kind: EventKind, second: i64, scope: Scope) -> Statement {
        Statement::of(kind, Timestamp::from_second(second).unwrap(), scope).unwrap()
    }

    fn found(kind: EventKind, second: i64, scope: Scope, kept: &[Vec<Statement>]) -> (Already, bool) {
        let at = Timestamp::from_second(second).unwrap();
        let kept: Vec<Kept> = kept.iter().map(|said| Kept::new(said.iter().cloned())).collect();
        let line = ImportLine { line: 1, kind, at, scope, subject: ImportSubject::Digest(Digest([0; 16])) };
        let found = already(&line, &kept.iter().collect::<Vec<_>>());
        (found.already, found.adds)
    }

    #[test]
    fn a_line_is_known_only_if_everybody_is_restricted_wherever_it_holds() {
        let (out, there) = (said(OptOut, 5, Scope::ALL), said(OptOut, 5, narrow()));
        let (back, but) = (said(OptIn, 4, Scope::ALL), said(OptIn, 6, narrow()));
        for (line, standing, already, adds) in [
            ((OptOut, 5, Scope::ALL), vec![], Already::New, true),
            ((OptOut, 5, Scope::ALL), vec![out.clone()], Already::Known, false),
            ((OptOut, 3, Scope::ALL), vec![out.clone()], Already::Known, true),
            ((OptOut, 7, Scope::ALL), vec![out.clone()], Already::Known, true),
            ((Bounce, 7, narrow()), vec![out.clone()], Already::Known, true),
            ((OptOut, 7, Scope::ALL), vec![there.clone()], Already::New, true),
            ((OptOut, 7, narrow()), vec![there.clone()], Already::Known, true),
            ((OptOut, 3, Scope::ALL), vec![back.clone()], Already::Superseded, true),
            (
                (OptOut, 3, Scope::ALL),
                vec![back.clone(), said(OptOut, 3, Scope::ALL)],
                Already::Superseded,
                false,
            ),
            ((OptOut, 6, Scope::ALL), vec![back], Already::New, true),
            ((OptOut, 5, Scope::ALL), vec![out.clone(), but.clone()], Already::Superseded, false),
            ((OptOut, 4, Scope::ALL), vec![out.clone(), but.clone()], Already::Superseded, true),
            ((OptOut, 7, Scope::ALL), vec![out.clone(), but], Already::New, true),
        ] {
            let (kind, second, scope) = line;
            let told = found(kind, second, scope, std::slice::from_ref(&standing));
            assert_eq!(told, (already, adds), "{kind} at {second}: {standing:?}");
        }
        assert_eq!(found(OptOut, 5, Scope::ALL, &[vec![out], vec![]]), (Already::New, true));
    }
}
