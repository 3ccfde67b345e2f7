//! Campaigns in parts: one hash each, and two indexes over all of them. They are no part of the list.
//!
//! | field | holds |
//! |---|---|
//! | `name`, `of`, `parts`, `conflicts` | its name cut, how many parts it has, how many are in, how many did not fit |
//! | `channel`, `brand`, `purpose` | of all parts; empty where they differ |
//! | `revision`, `filtered`, `past` | the lowest revision, the latest time in seconds, whether any was past its time |
//! | `began`, `last`, `reported` | milliseconds of Redis's clock |
//! | `holder`, `until` | who publishes the report |
//! | `#<n>` | the jobs of [`CHUNK_PARTS`] parts: four bytes each, all 0 while there is none |
//! | `@<region>` | where the region is named first (part × 2¹⁶ + place), received, kept, and why removed |
//!
//! Each part is written by one script in one round trip. What it costs depends on the job's regions alone, and so
//! does summing up: the sums are kept while parts come in.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use redis::{Script, cmd};

use super::list::RedisList;
use crate::codec::record::hex;
use crate::domain::campaign::{Campaign, CampaignHead, FilteredPart, RegionSums, Sums, cut};
use crate::domain::record::{CampaignKey, JobMark, Nonce};
use crate::domain::words::{Channel, Purpose};
use crate::service::ports::{Campaigns, ListFault, REPORT_CLAIM, Standing, Taken};

static PART: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/part.lua")));
static REPORTED: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/reported.lua")));
static INCOMPLETE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/incomplete.lua")));
static FORGET: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/forget.lua")));
static CAMPAIGNS: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/campaigns.lua")));

/// Parts in one field: half a kilobyte that a script cuts and joins.
const CHUNK_PARTS: u32 = 128;

/// Bytes that tell which job came as a part.
const MARK_BYTES: usize = 4;

/// Forgotten campaigns that are struck out of the indexes at once.
const STRUCK_OUT_MAX: usize = 256;

/// The fields of a [`CampaignHead`], in the order in which they are read.
const HEAD: [&str; 10] =
    ["name", "of", "parts", "channel", "brand", "purpose", "began", "last", "reported", "conflicts"];

/// The fields of a hash as they are in Redis.
type Fields = HashMap<Vec<u8>, Vec<u8>>;

/// Which campaigns are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// Those that wait for parts, the one that began first in front.
    Incomplete,
    /// Those that are known for so long yet.
    KnownFor(Duration),
}

impl RedisList {
    /// Some campaigns.
    pub async fn campaigns(
        &self,
        which: Listed,
        now: Timestamp,
        skip: usize,
        max: usize,
    ) -> Result<Vec<CampaignHead>, ListFault> {
        let (index, lowest) = match which {
            Listed::Incomplete => (self.keys.campaigns_incomplete(), "-inf".to_owned()),
            Listed::KnownFor(time) => {
                let from = u64::try_from(now.as_millisecond()).unwrap_or_default() + millis(time);
                (self.keys.campaigns(), from.to_string())
            }
        };
        let mut script = CAMPAIGNS.prepare_invoke();
        script.key(index).arg(self.keys.campaign_prefix()).arg(lowest).arg(skip).arg(max).arg(&HEAD);
        let mut connection = self.work.get().await?;
        let result = script.invoke_async(&mut connection).await;
        let found: Vec<Vec<Option<Vec<u8>>>> = self.work.checked(result).await?;
        // One that Redis has forgotten by now has no fields any more.
        let known = found.into_iter().filter(|values| values.iter().any(Option::is_some));
        let heads = known.map(|values| {
            let fields = HEAD.iter().zip(values);
            head(&fields.filter_map(|(name, value)| Some((name.as_bytes().to_vec(), value?))).collect())
        });
        heads.collect::<Option<_>>().ok_or(ListFault::Unreadable("a campaign"))
    }

    /// Forgets a campaign. `false`: it was not known.
    pub async fn forget_campaign(&self, campaign: CampaignKey) -> Result<bool, ListFault> {
        let mut script = FORGET.prepare_invoke();
        for key in self.campaign_keys(campaign) {
            script.key(key);
        }
        script.arg(campaign.to_string());
        let mut connection = self.work.get().await?;
        let result = script.invoke_async(&mut connection).await;
        self.work.checked(result).await
    }
}

#[async_trait]
impl Campaigns for RedisList {
    async fn record(
        &self,
        part: &FilteredPart,
        holder: Nonce,
        kept: Duration,
    ) -> Result<(Taken, Standing), ListFault> {
        let mut script = PART.prepare_invoke();
        for key in self.campaign_keys(part.campaign) {
            script.key(key);
        }
        script.arg(part.campaign.to_string()).arg(cut(&part.name)).arg(hex(&holder.0));
        script.arg(millis(REPORT_CLAIM)).arg(millis(kept)).arg(part.of);
        let offset = (part.index % CHUNK_PARTS) as usize * MARK_BYTES;
        script.arg(format!("#{}", part.index / CHUNK_PARTS)).arg(offset).arg(&part.job.0);
        script.arg(part.channel.as_str()).arg(&*part.brand).arg(part.purpose.as_str());
        script.arg(part.revision).arg(part.filtered_at.as_second()).arg(u8::from(part.past_send_until));
        for (place, (region, sums)) in (0..=u16::MAX).zip(&part.regions) {
            script.arg(format!("@{region}")).arg(write_region((part.index, place), sums));
        }
        let mut connection = self.work.get().await?;
        let result = script.invoke_async(&mut connection).await;
        let (taken, standing): (String, String) = self.work.checked(result).await?;
        let read = Taken::parse(&taken).zip(match &*standing {
            "incomplete" => Some(Standing::Incomplete),
            "mine" => Some(Standing::Mine),
            "others" => Some(Standing::Others),
            "reported" => Some(Standing::Reported),
            _ => None,
        });
        read.ok_or(ListFault::Unreadable("what became of a campaign's part"))
    }

    async fn reported(&self, campaign: CampaignKey, kept: Duration) -> Result<(), ListFault> {
        let mut script = REPORTED.prepare_invoke();
        for key in self.campaign_keys(campaign) {
            script.key(key);
        }
        script.arg(campaign.to_string()).arg(millis(kept));
        let mut connection = self.work.get().await?;
        let result = script.invoke_async(&mut connection).await;
        self.work.checked::<u8>(result).await.map(drop)
    }

    async fn campaign(&self, campaign: CampaignKey) -> Result<Option<Campaign>, ListFault> {
        let mut connection = self.work.get().await?;
        let result = cmd("HGETALL").arg(self.keys.campaign(campaign)).query_async(&mut connection).await;
        let fields: Fields = self.work.checked(result).await?;
        if fields.is_empty() {
            return Ok(None);
        }
        read(&fields).map(Some).ok_or(ListFault::Unreadable("a campaign"))
    }

    async fn incomplete(&self) -> Result<(u64, Option<Timestamp>), ListFault> {
        let mut script = INCOMPLETE.prepare_invoke();
        script.key(self.keys.campaigns()).key(self.keys.campaigns_incomplete()).arg(STRUCK_OUT_MAX);
        let mut connection = self.work.get().await?;
        let result = script.invoke_async(&mut connection).await;
        let (count, first): (u64, Option<String>) = self.work.checked(result).await?;
        let first = first.map(|score| instant(score.as_bytes()));
        let first = first.map_or(Some(None), |first| first.map(Some));
        Ok((count, first.ok_or(ListFault::Unreadable("an index of campaigns"))?))
    }
}

impl RedisList {
    fn campaign_keys(&self, campaign: CampaignKey) -> [String; 3] {
        [self.keys.campaign(campaign), self.keys.campaigns(), self.keys.campaigns_incomplete()]
    }
}

/// All of it, from all fields.
fn read(fields: &Fields) -> Option<Campaign> {
    let mut parts = BTreeMap::new();
    let mut regions = BTreeMap::new();
    for (name, value) in fields {
        match &name[..] {
            [b'#', chunk @ ..] => {
                let first = CHUNK_PARTS.checked_mul(number(chunk)?)?;
                let marks = (first..).zip(value.as_chunks::<MARK_BYTES>().0);
                parts.extend(
                    marks.filter(|(_, mark)| **mark != [0; 4]).map(|(index, mark)| (index, JobMark(*mark))),
                );
            }
            [b'@', region @ ..] => {
                regions.insert(text(region)?.into(), read_region(value)?);
            }
            _ => {}
        }
    }
    let seconds = Timestamp::from_second(number(fields.get(&b"filtered"[..])?)?).ok()?;
    Some(Campaign {
        head: head(fields)?,
        revision: number(fields.get(&b"revision"[..])?)?,
        filtered_at: seconds,
        past_send_until: fields.get(&b"past"[..])? == b"1",
        parts,
        regions,
    })
}

/// The short of it, from the fields of [`HEAD`].
fn head(fields: &Fields) -> Option<CampaignHead> {
    let get = |name: &str| fields.get(name.as_bytes()).map(Vec::as_slice);
    let word = |name: &str| text(get(name)?);
    // Empty where parts differ.
    let channel = match word("channel")? {
        "" => None,
        channel => Some(Channel::parse(channel)?),
    };
    let purpose = match word("purpose")? {
        "" => None,
        purpose => Some(Purpose::parse(purpose)?),
    };
    Some(CampaignHead {
        name: word("name")?.to_owned(),
        of: number(get("of")?)?,
        parts: number(get("parts")?)?,
        channel,
        brand: Some(word("brand")?).filter(|brand| !brand.is_empty()).map(Into::into),
        purpose,
        began_at: instant(get("began")?)?,
        last_at: instant(get("last")?)?,
        reported_at: get("reported").map_or(Some(None), |at| instant(at).map(Some))?,
        conflicts: number(get("conflicts")?)?,
    })
}

/// Eight numbers of eight bytes, the lowest byte first.
fn write_region((part, place): (u32, u16), sums: &Sums) -> Vec<u8> {
    let first = (u64::from(part) << 16) + u64::from(place);
    let numbers = [first, sums.received, sums.kept].into_iter().chain(sums.removed);
    numbers.flat_map(u64::to_le_bytes).collect()
}

fn read_region(bytes: &[u8]) -> Option<RegionSums> {
    let (numbers, []) = bytes.as_chunks::<8>() else { return None };
    let numbers: Vec<u64> = numbers.iter().map(|number| u64::from_le_bytes(*number)).collect();
    let [first, received, kept, removed @ ..] = &numbers[..] else { return None };
    let place = u16::try_from(first & u64::from(u16::MAX)).ok()?;
    Some(RegionSums {
        first: (u32::try_from(first >> 16).ok()?, place),
        sums: Sums { received: *received, kept: *kept, removed: removed.try_into().ok()? },
    })
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn number<T: std::str::FromStr>(bytes: &[u8]) -> Option<T> {
    text(bytes)?.parse().ok()
}

fn instant(millis: &[u8]) -> Option<Timestamp> {
    Timestamp::from_millisecond(number(millis)?).ok()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
