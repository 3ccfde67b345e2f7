//! What several commands print alike.

use serde::Serialize;

use super::table::plain;
use crate::domain::scope::{Names, Scope};
use crate::domain::words::Channel;

/// A scope for people and machines. `null` means all.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct WireScope {
    regions: Option<Vec<String>>,
    channels: Option<Vec<&'static str>>,
    brands: Option<Vec<String>>,
}

impl WireScope {
    pub(super) fn of(scope: &Scope) -> Self {
        let names = |names: &Names| match names {
            Names::All => None,
            Names::Only(names) => Some(names.iter().map(ToString::to_string).collect()),
        };
        let channels = Channel::ALL.iter().filter(|channel| scope.channels.covers(**channel));
        let all = scope.channels == Scope::ALL.channels;
        Self {
            regions: names(&scope.regions),
            channels: (!all).then(|| channels.map(|channel| channel.as_str()).collect()),
            brands: names(&scope.brands),
        }
    }

    pub(super) fn words(&self) -> String {
        let names = |names: &Option<Vec<String>>, all: &str| {
            names.as_ref().map_or_else(|| all.to_owned(), |names| plain(&names.join(" ")))
        };
        let channels = self.channels.as_ref().map_or_else(|| "all channels".to_owned(), |all| all.join(" "));
        let (regions, brands) = (names(&self.regions, "everywhere"), names(&self.brands, "all brands"));
        format!("{regions}, {channels}, {brands}")
    }
}
