//! Classes: what restricts, without times, each once.

use std::collections::HashMap;

use super::index::ClassId;
use crate::domain::scope::Scope;
use crate::domain::statement::{Families, Statement, strongest};
use crate::domain::words::{Channel, Removal};

/// In order of precedence: the last that covers a point wins there.
type Rules = Vec<(Families, bool, Scope)>;

/// Every class that was met since the mirror was loaded. Their number is bounded by the combinations of
/// scopes that people asked for, not by people.
#[derive(Debug, Default)]
pub(super) struct Classes {
    numbers: HashMap<Rules, ClassId>,
    rules: Vec<Rules>,
    /// The one asked for last: most people ask for the same.
    last: Option<(ClassId, Rules)>,
}

impl Classes {
    /// The class of what stands; `None` when nothing restricts.
    pub(super) fn of(&mut self, standing: &[Statement]) -> Option<ClassId> {
        if let Some((number, rules)) = &self.last
            && are(rules, standing)
        {
            return Some(*number);
        }
        let rules = rules(standing);
        if rules.is_empty() {
            return None;
        }
        if let Some(number) = self.numbers.get(&rules) {
            self.last = Some((*number, rules));
            return Some(*number);
        }
        let number = ClassId::at(self.rules.len());
        self.rules.push(rules.clone());
        self.numbers.insert(rules, number);
        Some(number)
    }

    /// The answer of each class at one point, at the place of its number. Number 0 is no class.
    pub(super) fn table(&self, region: &str, channel: Channel, brand: &str) -> Vec<Option<Removal>> {
        let answer = |rules: &Rules| {
            strongest(&rules.iter().map(|(f, restricts, s)| (*f, *restricts, s)), region, channel, brand)
        };
        std::iter::once(None).chain(self.rules.iter().map(answer)).collect()
    }
}

/// Drops times, and what lifts where nothing restricts beneath it.
fn rules(standing: &[Statement]) -> Rules {
    let mut restricted = 0;
    let mut rules = Rules::new();
    for statement in standing {
        let families = if statement.restricts {
            restricted |= statement.families.bits();
            Some(statement.families)
        } else {
            Families::from_bits(statement.families.bits() & restricted)
        };
        rules.extend(families.map(|f| (f, statement.restricts, statement.scope.clone())));
    }
    rules
}

/// Whether the rules of these statements are those, as far as that is seen without making them: where nothing
/// lifts, each statement is a rule.
fn are(rules: &Rules, standing: &[Statement]) -> bool {
    let is = |((families, restricts, scope), statement): (&(Families, bool, Scope), &Statement)| {
        statement.restricts && *restricts && *families == statement.families && *scope == statement.scope
    };
    rules.len() == standing.len() && rules.iter().zip(standing).all(is)
}
