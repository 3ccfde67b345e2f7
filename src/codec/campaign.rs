//! `report.campaign`: what became of a campaign, all its parts together, in the words of `report.job`.

use jiff::Timestamp;
use serde::Serialize;

use super::job::Removed;
use crate::domain::campaign::{Campaign, Sums};
use crate::domain::words::{Channel, Purpose};

/// The routing key, and what the report's `message_id` begins with.
pub const REPORT: &str = "report.campaign";

#[derive(Serialize)]
struct Report<'a> {
    campaign_id: &'a str,
    channel: Option<&'static str>,
    brand: Option<&'a str>,
    purpose: Option<&'static str>,
    parts: u32,
    revision: u64,
    filtered_at: Timestamp,
    past_send_until: bool,
    segments: Vec<RegionOutcome<'a>>,
}

/// The sums of one region.
#[derive(Debug, Serialize)]
pub struct RegionOutcome<'a> {
    region: &'a str,
    received: u64,
    kept: u64,
    removed: Removed,
}

impl<'a> RegionOutcome<'a> {
    /// Those of a region of this code.
    pub fn of(region: &'a str, sums: &Sums) -> Self {
        let removed = Removed::of(|reason| sums.removed(reason));
        Self { region, received: sums.received, kept: sums.kept, removed }
    }
}

/// The body of the report on a campaign of this name.
pub fn report(campaign_id: &str, campaign: &Campaign) -> Vec<u8> {
    let head = &campaign.head;
    let report = Report {
        campaign_id,
        channel: head.channel.map(Channel::as_str),
        brand: head.brand.as_deref(),
        purpose: head.purpose.map(Purpose::as_str),
        parts: head.of,
        revision: campaign.revision,
        filtered_at: campaign.filtered_at,
        past_send_until: campaign.past_send_until,
        segments: campaign
            .in_order()
            .into_iter()
            .map(|(region, sums)| RegionOutcome::of(region, sums))
            .collect(),
    };
    serde_json::to_vec(&report).expect("it has only text keys")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::campaign::FilteredPart;
    use crate::domain::record::{CampaignKey, JobMark};

    #[test]
    fn the_report_has_these_members_in_this_order() {
        let sums = Sums { received: 1000, kept: 942, removed: [1, 49, 1, 0, 7] };
        let mut part = FilteredPart {
            campaign: CampaignKey::of("nauryz"),
            name: "nauryz".into(),
            job: JobMark::of("j"),
            index: 1,
            of: 2,
            channel: Channel::Sms,
            brand: "lulla.kz".into(),
            purpose: Purpose::Marketing,
            revision: 18_231,
            filtered_at: "2027-03-19T05:00:00Z".parse().unwrap(),
            past_send_until: false,
            regions: vec![("KZ-79".into(), sums)],
        };
        let mut campaign = Campaign::begin(&part, Timestamp::UNIX_EPOCH);
        (part.index, part.channel) = (0, Channel::Email);
        campaign.add(&part, Timestamp::UNIX_EPOCH);
        assert_eq!(
            String::from_utf8(report("nauryz", &campaign)).unwrap(),
            concat!(
                r#"{"campaign_id":"nauryz","channel":null,"brand":"lulla.kz","purpose":"marketing","#,
                r#""parts":2,"revision":18231,"filtered_at":"2027-03-19T05:00:00Z","past_send_until":false,"#,
                r#""segments":[{"region":"KZ-79","received":2000,"kept":1884,"#,
                r#""removed":{"opt_out":98,"hold":2,"complaint":2,"bounce":0,"unidentifiable":14}}]}"#
            )
        );
    }
}
