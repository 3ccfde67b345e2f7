//! A scope as it is written in ledger records and exports: each dimension a list of names.

use serde::{Deserialize, Serialize};

use crate::domain::scope::{Channels, Name, Names, Scope};
use crate::domain::words::Channel;

/// A dimension left out means all.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct WireScope {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) regions: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) channels: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) brands: Option<Vec<String>>,
}

impl WireScope {
    pub(super) fn is_all(&self) -> bool {
        self.regions.is_none() && self.channels.is_none() && self.brands.is_none()
    }

    pub(super) fn scope(self) -> Option<Scope> {
        let names = |names: Option<Vec<String>>| match names {
            None => Some(Names::All),
            Some(names) => Names::only(names.into_iter().map(Name::from)),
        };
        let channels = match self.channels {
            None => Channels::ALL,
            Some(words) => {
                let channels: Option<Vec<_>> = words.iter().map(|word| Channel::parse(word)).collect();
                Channels::only(channels?)?
            }
        };
        Some(Scope { regions: names(self.regions)?, channels, brands: names(self.brands)? })
    }
}

impl From<&Scope> for WireScope {
    fn from(scope: &Scope) -> Self {
        let names = |names: &Names| match names {
            Names::All => None,
            Names::Only(names) => Some(names.iter().map(ToString::to_string).collect()),
        };
        let channels = (scope.channels != Channels::ALL).then(|| {
            let covered = Channel::ALL.iter().filter(|channel| scope.channels.covers(**channel));
            covered.map(ToString::to_string).collect()
        });
        Self { regions: names(&scope.regions), channels, brands: names(&scope.brands) }
    }
}
