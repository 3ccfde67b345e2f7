//! Campaigns in parts, for people and for machines.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use serde::Serialize;

use super::super::table::{plain, table};
use crate::codec::campaign::RegionOutcome;
use crate::daemon::CampaignListing;
use crate::domain::campaign::{Campaign, CampaignHead, Sums};
use crate::domain::scope::Name;
use crate::domain::words::{Channel, Purpose, Removal};

/// What is listed.
#[derive(Debug, Serialize)]
pub(super) struct List {
    now: Timestamp,
    campaigns: Vec<Head>,
    /// There are more than are listed.
    more: bool,
}

/// The short of a campaign.
#[derive(Debug, Serialize)]
struct Head {
    campaign_id: String,
    status: &'static str,
    /// How many parts it has.
    parts: u32,
    /// How many of them are in.
    parts_in: u32,
    channel: Option<&'static str>,
    brand: Option<String>,
    purpose: Option<&'static str>,
    began_at: Timestamp,
    last_part_at: Timestamp,
    reported_at: Option<Timestamp>,
    /// How often a part came that could not be counted.
    conflicts: u64,
}

/// One campaign.
#[derive(Debug, Serialize)]
pub(super) struct One<'a> {
    #[serde(flatten)]
    head: Head,
    missing: Vec<Missing>,
    revision: u64,
    filtered_at: Timestamp,
    past_send_until: bool,
    segments: Vec<RegionOutcome<'a>>,
    #[serde(skip)]
    campaign: &'a Campaign,
}

/// Parts that are not in, both ends included.
#[derive(Debug, Serialize)]
struct Missing {
    from: u32,
    to: u32,
}

impl Head {
    /// A name that was cut when it was stored is known whole to who asked for it.
    fn of(name: &str, head: &CampaignHead) -> Self {
        Self {
            campaign_id: name.to_owned(),
            status: match head.reported_at {
                Some(_) => "reported",
                None if head.parts == head.of => "complete",
                None => "incomplete",
            },
            parts: head.of,
            parts_in: head.parts,
            channel: head.channel.map(Channel::as_str),
            brand: head.brand.as_deref().map(str::to_owned),
            purpose: head.purpose.map(Purpose::as_str),
            began_at: head.began_at,
            last_part_at: head.last_at,
            reported_at: head.reported_at,
            conflicts: head.conflicts,
        }
    }

    fn cells(&self, now: Timestamp) -> [String; 9] {
        [
            plain(&self.campaign_id),
            self.status.to_owned(),
            format!("{} of {}", self.parts_in, self.parts),
            self.channel.unwrap_or(SEVERAL).to_owned(),
            plain(self.brand.as_deref().unwrap_or(SEVERAL)),
            format!("{:.0}", self.began_at),
            format!("{:.0}", self.last_part_at),
            ago(self.last_part_at, now),
            self.conflicts.to_string(),
        ]
    }
}

/// What parts differ in.
const SEVERAL: &str = "several";

impl List {
    pub(super) fn new(found: &CampaignListing, now: Timestamp) -> Self {
        let campaigns = found.campaigns.iter().map(|head| Head::of(&head.name, head)).collect();
        Self { now, campaigns, more: found.more }
    }

    /// One line of JSON.
    pub(super) fn json(&self) -> String {
        json(self)
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        if self.campaigns.is_empty() {
            return "no campaign\n".to_owned();
        }
        let heading =
            ["campaign", "status", "parts", "channel", "brand", "began", "last part", "ago", "conflicts"];
        let rows: Vec<_> = self.campaigns.iter().map(|head| head.cells(self.now)).collect();
        let more = if self.more { "there are more\n" } else { "" };
        table(heading, &rows) + more
    }
}

impl<'a> One<'a> {
    pub(super) fn new(name: &str, campaign: &'a Campaign) -> Self {
        let missing = |range: RangeInclusive<u32>| Missing { from: *range.start(), to: *range.end() };
        let segments = campaign.in_order();
        Self {
            head: Head::of(name, &campaign.head),
            missing: campaign.missing().into_iter().map(missing).collect(),
            revision: campaign.revision,
            filtered_at: campaign.filtered_at,
            past_send_until: campaign.past_send_until,
            segments: segments.into_iter().map(|(region, sums)| RegionOutcome::of(region, sums)).collect(),
            campaign,
        }
    }

    /// One line of JSON.
    pub(super) fn json(&self) -> String {
        json(self)
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let head = &self.head;
        let reported = head.reported_at.map_or_else(String::new, |at| format!(" at {at:.0}"));
        let mut lines = vec![
            format!(
                "{}: {}{reported}, {} of {} parts are in",
                plain(&head.campaign_id),
                head.status,
                head.parts_in,
                head.parts
            ),
            format!(
                "{}, {}, {}; began {:.0}, last part {:.0}, lowest revision {}",
                head.channel.unwrap_or("several channels"),
                plain(head.brand.as_deref().unwrap_or("several brands")),
                head.purpose.unwrap_or("several purposes"),
                head.began_at,
                head.last_part_at,
                self.revision,
            ),
        ];
        if !self.missing.is_empty() {
            let missing: Vec<String> = self.missing.iter().map(Missing::text).collect();
            lines.push(format!("missing: {}", missing.join(", ")));
        }
        if self.past_send_until {
            lines.push("a part was filtered after its send_until".to_owned());
        }
        if head.conflicts > 0 {
            lines.push(format!(
                "{} times a part came that did not fit (another job of the same index, or another number of parts): \
                 it is not in these sums",
                head.conflicts
            ));
        }
        lines.join("\n") + "\n" + &self.sums()
    }

    fn sums(&self) -> String {
        let mut heading = ["region", "received", "kept", "", "", "", "", ""];
        for (title, reason) in heading[3..].iter_mut().zip(Removal::ALL) {
            *title = reason.as_str();
        }
        let row = |(region, sums): (&Name, &Sums)| {
            let mut cells = heading.map(|_| String::new());
            let numbers = [sums.received, sums.kept].into_iter().chain(sums.removed);
            cells[0] = plain(region);
            for (cell, number) in cells[1..].iter_mut().zip(numbers) {
                *cell = number.to_string();
            }
            cells
        };
        let rows: Vec<_> = self.campaign.in_order().into_iter().map(row).collect();
        table(heading, &rows)
    }
}

impl Missing {
    fn text(&self) -> String {
        if self.from == self.to { self.from.to_string() } else { format!("{}-{}", self.from, self.to) }
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("names and numbers are JSON") + "\n"
}

/// `3 h 12 min`.
fn ago(then: Timestamp, now: Timestamp) -> String {
    let minutes = (now.as_second() - then.as_second()).max(0) / 60;
    format!("{} h {:02} min", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::campaign::FilteredPart;
    use crate::domain::record::{CampaignKey, JobMark};

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn campaign() -> Campaign {
        let part = |index| FilteredPart {
            campaign: CampaignKey::of("nauryz"),
            name: "nauryz\u{1b}".into(),
            job: JobMark::of("j"),
            index,
            of: 9,
            channel: if index == 1 { Channel::Email } else { Channel::Sms },
            brand: "lulla.kz".into(),
            purpose: Purpose::Marketing,
            revision: 18_231,
            filtered_at: time("2027-03-19T05:00:00Z"),
            past_send_until: false,
            regions: vec![("KZ-79".into(), Sums { received: 10, kept: 8, removed: [0, 2, 0, 0, 0] })],
        };
        let mut campaign = Campaign::begin(&part(1), time("2027-03-19T05:00:00.25Z"));
        campaign.add(&part(2), time("2027-03-19T06:00:00Z"));
        campaign.add(&part(8), time("2027-03-19T06:30:00Z"));
        campaign.add(&FilteredPart { of: 10, ..part(0) }, time("2027-03-19T06:31:00Z"));
        campaign
    }

    fn head() -> Value {
        json!({
            "campaign_id": "nauryz", "status": "incomplete", "parts": 9, "parts_in": 3, "channel": null,
            "brand": "lulla.kz", "purpose": "marketing", "began_at": "2027-03-19T05:00:00.25Z",
            "last_part_at": "2027-03-19T06:30:00Z", "reported_at": null, "conflicts": 1,
        })
    }

    #[test]
    fn the_answer_for_machines_keeps_its_shape() {
        let campaign = campaign();
        let one: Value = serde_json::from_str(&One::new("nauryz", &campaign).json()).unwrap();
        let mut expected = head();
        let more = json!({
            "missing": [{"from": 0, "to": 0}, {"from": 3, "to": 7}], "revision": 18231,
            "filtered_at": "2027-03-19T05:00:00Z", "past_send_until": false,
            "segments": [{"region": "KZ-79", "received": 30, "kept": 24,
                "removed": {"opt_out": 6, "hold": 0, "complaint": 0, "bounce": 0, "unidentifiable": 0}}],
        });
        expected.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(one, expected);

        let mut listed = campaign.head.clone();
        listed.name = "nauryz".into();
        let found = CampaignListing { campaigns: vec![listed], more: false };
        let list = List::new(&found, time("2027-03-19T08:00:00Z")).json();
        let list: Value = serde_json::from_str(&list).unwrap();
        assert_eq!(list, json!({"now": "2027-03-19T08:00:00Z", "campaigns": [head()], "more": false}));
    }

    #[test]
    fn the_answer_for_people_names_missing_parts_in_ranges_and_steers_no_terminal() {
        let mut campaign = campaign();
        let text = One::new("nauryz\u{1b}", &campaign).text();
        assert!(
            text.starts_with("nauryz\\u{1b}: incomplete, 3 of 9 parts are in\nseveral channels, "),
            "{text}"
        );
        assert!(text.contains("\nmissing: 0, 3-7\n") && text.contains("\n1 times a part came"), "{text}");
        assert!(text.contains("\nregion  received  kept  hold  opt_out  complaint"), "{text}");
        assert!(text.contains("\nKZ-79   30        24    0     6        0"), "{text}");
        campaign.head.reported_at = Some(time("2027-03-19T06:30:01.5Z"));
        let found = CampaignListing { campaigns: vec![campaign.head.clone()], more: false };
        let list = List::new(&found, time("2027-03-19T08:00:00Z")).text();
        let row = list.lines().nth(1).unwrap();
        assert!(row.starts_with(r"nauryz\u{1b}  reported  3 of 9  several  lulla.kz"), "{list}");
        assert!(row.ends_with("1 h 30 min  1"), "{list}");
        let none = CampaignListing { campaigns: vec![], more: false };
        assert_eq!(List::new(&none, time("2027-03-19T08:00:00Z")).text(), "no campaign\n");
    }
}
