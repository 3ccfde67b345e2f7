//! Statements, and the merge that makes their order of arrival irrelevant.
//!
//! At each point (region, channel, brand) and in each family the latest statement wins; at equal times the
//! restricting one wins. A list of statements is kept as those that win *somewhere*: dropping one that wins
//! nowhere can never be noticed, whatever arrives later. So [`Statements::merge`] is commutative,
//! associative and idempotent, and its size is bounded by the number of points, not by the number of events.
//!
//! What is superseded is set apart, not thrown away ([`Kept`]): an `identifier_changed` dated earlier, which
//! arrives later, still needs it.

use std::cmp::Ordering;

use jiff::Timestamp;

use super::scope::{Name, Names, Scope};
use super::words::{Channel, EventKind, Removal};

/// The families in which a statement takes part, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Families(u8);

impl Families {
    /// `hold` and `release`.
    pub const HOLD: Self = Self(1);
    /// `opt_out` and `opt_in`.
    pub const CONSENT: Self = Self(2);
    /// `complaint`, lifted by `opt_in`.
    pub const COMPLAINT: Self = Self(4);
    /// `bounce`, lifted by `opt_in`.
    pub const BOUNCE: Self = Self(8);
    /// What a request in review puts on its identifiers. No statement of an event is in it, so no merge lifts it.
    pub const PROVISIONAL: Self = Self(16);
    /// Each family with the reason that it gives, strongest first.
    pub const EACH: [(Self, Removal); 5] = [
        (Self::HOLD, Removal::Hold),
        (Self::PROVISIONAL, Removal::Hold),
        (Self::CONSENT, Removal::OptOut),
        (Self::COMPLAINT, Removal::Complaint),
        (Self::BOUNCE, Removal::Bounce),
    ];

    const NONE: Self = Self(0);

    /// From the stored bits; `None` for bits that mean nothing.
    pub fn from_bits(bits: u8) -> Option<Self> {
        (bits != 0 && bits < 32).then_some(Self(bits))
    }

    /// The stored bits.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Whether any family is in both.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// One thing said of one identifier.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Statement {
    /// Where it counts.
    pub families: Families,
    /// Whether it restricts or lifts.
    pub restricts: bool,
    /// Since when it is true, to the microsecond.
    pub at: Timestamp,
    /// Where it holds.
    pub scope: Scope,
}

impl Statement {
    /// What an event of this kind states; `None` for kinds that state nothing of their own.
    pub fn of(kind: EventKind, at: Timestamp, scope: Scope) -> Option<Self> {
        let (families, restricts) = match kind {
            EventKind::OptOut => (Families::CONSENT, true),
            EventKind::OptIn => (Families::CONSENT.with(Families::COMPLAINT).with(Families::BOUNCE), false),
            EventKind::Complaint => (Families::COMPLAINT, true),
            EventKind::Bounce => (Families::BOUNCE, true),
            EventKind::Hold => (Families::HOLD, true),
            EventKind::Release => (Families::HOLD, false),
            EventKind::IdentifierChanged | EventKind::Dismiss | EventKind::Apply => return None,
        };
        Some(Self { families, restricts, at, scope })
    }

    /// What stands for a person while a request in review holds them, since then.
    pub const fn provisional(at: Timestamp) -> Self {
        Self { families: Families::PROVISIONAL, restricts: true, at, scope: Scope::ALL }
    }

    /// The family that the event's own status is about.
    pub fn own_family(&self) -> Families {
        if self.families.meets(Families::CONSENT) { Families::CONSENT } else { self.families }
    }

    /// A total order, whatever the families: who is later here wins where both hold.
    fn precedence(&self, other: &Self) -> Ordering {
        (self.at, self.restricts)
            .cmp(&(other.at, other.restricts))
            .then_with(|| self.scope.rank().cmp(&other.scope.rank()))
    }
}

/// The statements of one identifier that win somewhere, in their order of precedence.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Statements(Vec<Statement>);

impl Statements {
    /// The winners among any statements.
    pub fn new(statements: impl IntoIterator<Item = Statement>) -> Self {
        Kept::new(statements).standing
    }

    /// Both lists in one.
    #[must_use]
    pub fn merge(&self, other: &Self) -> Self {
        Self::new(self.0.iter().chain(&other.0).cloned())
    }

    /// The statements, in order of precedence.
    pub fn as_slice(&self) -> &[Statement] {
        &self.0
    }

    /// Whether nothing was ever said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this statement, given as it arrived, wins anywhere in its own family.
    pub fn stands(&self, statement: &Statement) -> bool {
        let own = statement.own_family();
        self.0.iter().any(|s| s.families.meets(own) && s.precedence(statement).is_eq())
    }

    /// The strongest restriction in force at a point.
    pub fn removal(&self, region: &str, channel: Channel, brand: &str) -> Option<Removal> {
        strongest(&self.0.iter().map(|s| (s.families, s.restricts, &s.scope)), region, channel, brand)
    }
}

/// The strongest restriction at a point, given rules in order of precedence (the last that covers wins).
pub fn strongest<'a>(
    rules: &(impl DoubleEndedIterator<Item = (Families, bool, &'a Scope)> + Clone),
    region: &str,
    channel: Channel,
    brand: &str,
) -> Option<Removal> {
    Families::EACH.into_iter().find_map(|(family, removal)| {
        let (_, restricts, _) = rules
            .clone()
            .rev()
            .find(|(families, _, scope)| families.meets(family) && scope.covers(region, channel, brand))?;
        restricts.then_some(removal)
    })
}

/// All that was ever said of one identifier: what stands, and what was superseded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// What wins somewhere.
    pub standing: Statements,
    /// What wins nowhere any more (or, for a statement of several families, not in these).
    pub superseded: Vec<Statement>,
}

/// Superseded statements kept for one identifier. Beyond it the oldest go: only an `identifier_changed`
/// dated before them all could still ask for them.
pub const SUPERSEDED_MAX: usize = 256;

impl Kept {
    /// Divides statements, in any order and with repetitions, into standing and superseded.
    pub fn new(statements: impl IntoIterator<Item = Statement>) -> Self {
        let all = unite(statements);
        let standing = winners(&all);
        let superseded: Vec<Statement> = all
            .iter()
            .zip(&standing)
            .filter_map(|(statement, won)| {
                let lost = statement.families.without(*won);
                (lost != Families::NONE).then(|| Statement { families: lost, ..statement.clone() })
            })
            .collect();
        let excess = superseded.len().saturating_sub(SUPERSEDED_MAX);
        let standing = all
            .into_iter()
            .zip(standing)
            .filter(|(_, won)| *won != Families::NONE)
            .map(|(statement, won)| Statement { families: won, ..statement })
            .collect();
        Self { standing: Statements(standing), superseded: superseded[excess..].to_vec() }
    }

    /// The same with more statements.
    #[must_use]
    pub fn with(&self, more: impl IntoIterator<Item = Statement>) -> Self {
        Self::new(self.all().cloned().chain(more))
    }

    /// Everything that was said.
    pub fn all(&self) -> impl Iterator<Item = &Statement> {
        self.standing.0.iter().chain(&self.superseded)
    }
}

/// Sorts by precedence and unites the families of what is otherwise the same statement.
fn unite(statements: impl IntoIterator<Item = Statement>) -> Vec<Statement> {
    let mut all: Vec<Statement> = statements.into_iter().collect();
    all.sort_by(Statement::precedence);
    all.dedup_by(|later, earlier| {
        let same = later.precedence(earlier).is_eq();
        if same {
            earlier.families = earlier.families.with(later.families);
        }
        same
    });
    all
}

/// For each of the sorted statements the families in which it wins at some point.
fn winners(sorted: &[Statement]) -> Vec<Families> {
    let mut won = vec![Families::NONE; sorted.len()];
    let regions = named(sorted, |scope| &scope.regions);
    let brands = named(sorted, |scope| &scope.brands);
    for (family, _) in Families::EACH {
        if sorted.iter().all(|s| !s.families.meets(family)) {
            continue;
        }
        for region in &regions {
            for brand in &brands {
                mark_channel_winners(sorted, family, *region, *brand, &mut won);
            }
        }
    }
    won
}

/// Marks who wins at (region, brand) for each channel, the channels that do not exist yet included.
fn mark_channel_winners(
    sorted: &[Statement],
    family: Families,
    region: Option<&Name>,
    brand: Option<&Name>,
    won: &mut [Families],
) {
    let mut open = u8::MAX;
    for (statement, won) in sorted.iter().zip(won).rev() {
        let scope = &statement.scope;
        let here = statement.families.meets(family) && at(&scope.regions, region) && at(&scope.brands, brand);
        if here && open & scope.channels.bits() != 0 {
            *won = won.with(family);
            open &= !scope.channels.bits();
        }
        if open == 0 {
            return;
        }
    }
}

/// The names that any scope mentions, and `None` for all the others.
fn named(statements: &[Statement], dimension: impl Fn(&Scope) -> &Names) -> Vec<Option<&Name>> {
    let mut names: Vec<&Name> = statements.iter().flat_map(|s| dimension(&s.scope).listed()).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(Some).chain([None]).collect()
}

fn at(names: &Names, name: Option<&Name>) -> bool {
    match name {
        Some(name) => names.covers(name),
        None => matches!(names, Names::All),
    }
}

#[cfg(test)]
mod tests;
