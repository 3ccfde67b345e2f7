//! Where a statement holds: regions × channels × brands, each dimension everything or some names.
//!
//! "All" is not the list of what is configured today: it covers tomorrow's regions and brands too, so it
//! is wider than any list. Names are stored as words and never as numbers, so that a changed
//! configuration cannot change what an old statement means.

use std::sync::Arc;

use super::words::Channel;

/// A region's code or a brand.
pub type Name = Arc<str>;

/// One dimension of a scope.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Names {
    /// Exactly these: sorted, each once, at least one.
    Only(Box<[Name]>),
    /// Everything, also what is not configured yet. Declared last: it sorts above every list.
    All,
}

impl Names {
    /// These names; `None` for an empty list, which nothing may mean.
    pub fn only(names: impl IntoIterator<Item = Name>) -> Option<Self> {
        let mut names: Vec<Name> = names.into_iter().collect();
        names.sort_unstable();
        names.dedup();
        (!names.is_empty()).then(|| Self::Only(names.into()))
    }

    /// Whether the name lies in it.
    pub fn covers(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.iter().any(|n| &**n == name),
        }
    }

    /// The names, if it is a list.
    pub fn listed(&self) -> &[Name] {
        match self {
            Self::All => &[],
            Self::Only(names) => names,
        }
    }

    fn breadth(&self) -> usize {
        match self {
            Self::All => usize::MAX,
            Self::Only(names) => names.len(),
        }
    }
}

/// The channels of a scope, as bits in the order of [`Channel::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channels(u8);

impl Channels {
    /// Every channel, also those that do not exist yet.
    pub const ALL: Self = Self(u8::MAX);

    /// These channels; `None` for an empty list.
    pub fn only(channels: impl IntoIterator<Item = Channel>) -> Option<Self> {
        let bits = channels.into_iter().fold(0, |bits, channel| bits | 1 << channel as u8);
        (bits != 0).then_some(Self(bits))
    }

    /// From the stored byte; `None` for the empty set.
    pub fn from_bits(bits: u8) -> Option<Self> {
        (bits != 0).then_some(Self(bits))
    }

    /// The stored byte.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Whether the channel lies in it.
    pub fn covers(self, channel: Channel) -> bool {
        self.0 & 1 << channel as u8 != 0
    }
}

/// Where a statement holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The regions.
    pub regions: Names,
    /// The channels.
    pub channels: Channels,
    /// The brands.
    pub brands: Names,
}

impl Scope {
    /// Everywhere.
    pub const ALL: Self = Self { regions: Names::All, channels: Channels::ALL, brands: Names::All };

    /// Whether a job at this point is covered.
    pub fn covers(&self, region: &str, channel: Channel, brand: &str) -> bool {
        self.channels.covers(channel) && self.regions.covers(region) && self.brands.covers(brand)
    }

    /// A total order in which a wider scope is above every scope that lies in it.
    pub(super) fn rank(&self) -> impl Ord + '_ {
        let breadth = (self.regions.breadth(), self.channels.0.count_ones(), self.brands.breadth());
        (breadth, &self.regions, self.channels, &self.brands)
    }
}
