//! A campaign in parts: what is known of it when some of its jobs are filtered, and its sums when all are.
//!
//! Parts come in any order, from any worker, and any of them again. The first job of each index counts, whatever
//! comes later: so the sums depend on which jobs counted and not on their order. [`Campaign::add`] is the rule;
//! the script that does the same inside Redis is held to it by a test. Deliberately absent: who reports, and when.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use jiff::Timestamp;

use super::filter::Tally;
use super::record::{CampaignKey, JobMark};
use super::scope::Name;
use super::words::{Channel, Purpose, Removal, vocabulary};

/// Parts that a campaign may have for its report. One with more is filtered like any other and never summed up.
pub const PARTS_MAX: u32 = 100_000;

/// Bytes of a campaign's name that are kept, for people to recognise it by.
pub const NAME_BYTES_MAX: usize = 256;

/// One part of a campaign, as its job was filtered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilteredPart {
    /// The campaign.
    pub campaign: CampaignKey,
    /// Its whole name.
    pub name: String,
    /// By which the job is known again.
    pub job: JobMark,
    /// Which part, from 0.
    pub index: u32,
    /// Of how many.
    pub of: u32,
    /// How it reaches people.
    pub channel: Channel,
    /// On whose behalf.
    pub brand: Name,
    /// Why it is sent.
    pub purpose: Purpose,
    /// The list's revision that it was filtered at.
    pub revision: u64,
    /// When.
    pub filtered_at: Timestamp,
    /// Whether it was filtered after its `send_until`.
    pub past_send_until: bool,
    /// The sums by the regions' codes, each once, in the order of the job.
    pub regions: Vec<(Name, Sums)>,
}

impl FilteredPart {
    /// The sums of a job's segments, by region.
    pub fn sum(tallies: &[Tally]) -> Vec<(Name, Sums)> {
        let mut regions: Vec<(Name, Sums)> = Vec::new();
        for tally in tallies {
            match regions.iter_mut().find(|(region, _)| *region == tally.region) {
                Some((_, sums)) => sums.add(&Sums::of(tally)),
                None => regions.push((tally.region.clone(), Sums::of(tally))),
            }
        }
        regions
    }
}

/// Recipients in numbers: what came in, what went out, and why the others did not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Recipients that came in.
    pub received: u64,
    /// Those that went out.
    pub kept: u64,
    /// Those that did not, in the order of [`Removal::ALL`].
    pub removed: [u64; Removal::ALL.len()],
}

impl Sums {
    /// Those of one segment.
    pub fn of(tally: &Tally) -> Self {
        let mut removed = [0; Removal::ALL.len()];
        for reason in Removal::ALL {
            removed[*reason as usize] = tally.removed(*reason);
        }
        Self { received: tally.received, kept: tally.kept, removed }
    }

    /// How many were removed for this reason.
    pub fn removed(&self, reason: Removal) -> u64 {
        self.removed[reason as usize]
    }

    fn add(&mut self, more: &Self) {
        self.received += more.received;
        self.kept += more.kept;
        for (sum, more) in self.removed.iter_mut().zip(more.removed) {
            *sum += more;
        }
    }
}

vocabulary! {
    /// What became of a part.
    Taken {
        /// It is in the sums.
        Counted => "counted",
        /// It was in them already.
        Repeated => "repeated",
        /// It is not: another job has this index, or the campaign has another number of parts.
        Conflicting => "conflicting",
        /// It is not: its campaign has more than [`PARTS_MAX`] parts.
        Uncounted => "uncounted",
    }
}

/// What is known of a campaign but its parts and sums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignHead {
    /// Its name, of at most [`NAME_BYTES_MAX`] bytes.
    pub name: String,
    /// How many parts it has.
    pub of: u32,
    /// How many of them are in.
    pub parts: u32,
    /// Its channel, if all its parts have one.
    pub channel: Option<Channel>,
    /// Its brand, if all its parts have one.
    pub brand: Option<Name>,
    /// Its purpose, if all its parts have one.
    pub purpose: Option<Purpose>,
    /// When its first part came in.
    pub began_at: Timestamp,
    /// When its last one did.
    pub last_at: Timestamp,
    /// When its report was out.
    pub reported_at: Option<Timestamp>,
    /// How often a part came that could not be counted.
    pub conflicts: u64,
}

/// All that is known of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// The short of it.
    pub head: CampaignHead,
    /// The lowest revision that a part was filtered at: everybody it covers is out of all of them.
    pub revision: u64,
    /// When the last one was.
    pub filtered_at: Timestamp,
    /// Whether any was filtered after its `send_until`.
    pub past_send_until: bool,
    /// The parts that are in.
    pub parts: BTreeMap<u32, JobMark>,
    /// The sums by region.
    pub regions: BTreeMap<Name, RegionSums>,
}

/// The sums of one region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegionSums {
    /// The first part that has it, and its place there.
    pub first: (u32, u16),
    /// All of it.
    pub sums: Sums,
}

impl Campaign {
    /// What is known after its first part.
    pub fn begin(part: &FilteredPart, now: Timestamp) -> Self {
        let head = CampaignHead {
            name: cut(&part.name).to_owned(),
            of: part.of,
            parts: 0,
            channel: Some(part.channel),
            brand: Some(part.brand.clone()),
            purpose: Some(part.purpose),
            began_at: now,
            last_at: now,
            reported_at: None,
            conflicts: 0,
        };
        let mut campaign = Self {
            head,
            revision: part.revision,
            filtered_at: part.filtered_at,
            past_send_until: false,
            parts: BTreeMap::new(),
            regions: BTreeMap::new(),
        };
        campaign.add(part, now);
        campaign
    }

    /// Takes one more part, unless its index is taken.
    pub fn add(&mut self, part: &FilteredPart, now: Timestamp) -> Taken {
        let there = self.parts.get(&part.index);
        if part.of != self.head.of || there.is_some_and(|job| *job != part.job) {
            self.head.conflicts += 1;
            return Taken::Conflicting;
        }
        if there.is_some() {
            return Taken::Repeated;
        }
        self.parts.insert(part.index, part.job);
        let head = &mut self.head;
        head.parts += 1;
        head.last_at = now;
        head.channel = head.channel.filter(|channel| *channel == part.channel);
        head.brand.take_if(|brand| *brand != part.brand);
        head.purpose = head.purpose.filter(|purpose| *purpose == part.purpose);
        self.revision = self.revision.min(part.revision);
        self.filtered_at = self.filtered_at.max(part.filtered_at);
        self.past_send_until |= part.past_send_until;
        for (place, (region, sums)) in (0..=u16::MAX).zip(&part.regions) {
            let first = (part.index, place);
            let empty = RegionSums { first, sums: Sums::default() };
            let region = self.regions.entry(region.clone()).or_insert(empty);
            region.first = region.first.min(first);
            region.sums.add(sums);
        }
        Taken::Counted
    }

    /// Whether every part is in.
    pub fn is_complete(&self) -> bool {
        self.head.parts == self.head.of
    }

    /// The parts that are not in.
    pub fn missing(&self) -> Vec<RangeInclusive<u32>> {
        let mut missing = Vec::new();
        let mut next = 0;
        for index in self.parts.keys().copied().chain([self.head.of]) {
            if next < index {
                missing.push(next..=index - 1);
            }
            next = index.saturating_add(1);
        }
        missing
    }

    /// The sums of each region, in the order in which the parts name them.
    pub fn in_order(&self) -> Vec<(&Name, &Sums)> {
        let mut regions: Vec<_> = self.regions.iter().collect();
        regions.sort_by_key(|(_, region)| region.first);
        regions.into_iter().map(|(name, region)| (name, &region.sums)).collect()
    }
}

/// As much of a campaign's name as is kept.
pub fn cut(name: &str) -> &str {
    &name[..name.floor_char_boundary(NAME_BYTES_MAX)]
}

#[cfg(test)]
mod tests;
