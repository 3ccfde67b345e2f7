//! Classes: what restricts, without times, each once.

use std::collections::HashMap;

use crate::domain::scope::Scope;
use crate::domain::statement::{Families, Statement, strongest};
use crate::domain::words::{Channel, Removal};

/// A class by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClassId(u32);

impl ClassId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// In order of precedence: the last that covers a point wins there.
type Rules = Vec<(Families, bool, Scope)>;

/// Every class that was met since the mirror was loaded. Their number is bounded by the combinations of
/// scopes that people asked for, not by people.
#[derive(Debug, Default)]
pub(super) struct Classes {
    numbers: HashMap<Rules, ClassId>,
    rules: Vec<Rules>,
}

impl Classes {
    /// The class of what stands; `None` when nothing restricts.
    pub(super) fn of(&mut self, standing: &[Statement]) -> Option<ClassId> {
        let rules = rules(standing);
        if rules.is_empty() {
            return None;
        }
        if let Some(number) = self.numbers.get(&rules) {
            return Some(*number);
        }
        let number =
            ClassId(u32::try_from(self.rules.len()).expect("classes are far fewer than identifiers"));
        self.rules.push(rules.clone());
        self.numbers.insert(rules, number);
        Some(number)
    }

    /// The answer of each class at one point.
    pub(super) fn table(&self, region: &str, channel: Channel, brand: &str) -> Vec<Option<Removal>> {
        let answer = |rules: &Rules| {
            strongest(&rules.iter().map(|(f, restricts, s)| (*f, *restricts, s)), region, channel, brand)
        };
        self.rules.iter().map(answer).collect()
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
