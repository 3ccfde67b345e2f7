//! From a body to a [`Job`]: every member checked against the contract, in its order of reasons.
//!
//! Optional members may be `null`, which is the same as leaving them out.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::super::fault::Fault;
use super::super::time::parse_rfc3339;
use super::cursor::Cursor;
use super::members::{Misshapen, members};
use super::outline::{self, Outline, SegmentOutline};
use super::raw;
use super::{JOB_ID_BYTES_MAX, Job, JobLimits, NESTING_LEVELS_MAX, Names, Part, Segment};
use crate::domain::words::{Channel, DeadReason, Purpose};

/// Reads an unpacked body.
pub fn decode<'a>(body: &'a [u8], limits: &JobLimits, names: &impl Names) -> Result<Job<'a>, Fault> {
    if body.len() > limits.unpacked_bytes_max {
        let rule = format!("the body has more than {} bytes", limits.unpacked_bytes_max);
        return Err(Fault::whole(DeadReason::TooLarge, rule));
    }
    let text = simdutf8::compat::from_utf8(body).map_err(|error| {
        let rule = format!("the body is not UTF-8 (at byte {})", error.valid_up_to());
        Fault::whole(DeadReason::BadJson, rule)
    })?;
    let Outline {
        members: [id, campaign, channel, brand, purpose, part, send_until, _],
        suppression,
        segments,
        recipients,
        identifiers,
    } = outline::read(text, limits)?;

    let job_id = job_id(id)?;
    let campaign_id = string(campaign, "/campaign_id")?;
    let channel = string(channel, "/channel")?;
    let brand = string(brand, "/brand")?;
    let purpose = purpose.filter(given).map_or(Ok(Purpose::Marketing), read_purpose)?;
    let part = part.filter(given).map(read_part).transpose()?;
    let send_until = send_until.filter(given).map(read_send_until).transpose()?;
    let segments = segments.ok_or_else(|| required("/segments"))?;
    let segments = segments.into_iter().enumerate().map(read_segment).collect::<Result<Vec<_>, _>>()?;

    let channel = Channel::parse(&channel).ok_or_else(|| {
        Fault::at(DeadReason::UnknownChannel, "/channel", "must be one of email, sms, call")
    })?;
    let brand = names
        .brand(&brand)
        .ok_or_else(|| Fault::at(DeadReason::UnknownBrand, "/brand", "must be a brand of policy.brands"))?;
    let segments = segments
        .into_iter()
        .enumerate()
        .map(|(index, named)| named.resolve(index, names))
        .collect::<Result<_, _>>()?;
    Ok(Job {
        job_id,
        campaign_id,
        channel,
        brand,
        purpose,
        part,
        send_until,
        segments,
        recipients,
        identifiers,
        suppression,
        text,
    })
}

/// A segment whose region is not looked up yet.
struct NamedSegment<'a> {
    region: &'a RawValue,
    name: Cow<'a, str>,
    recipients: std::ops::Range<usize>,
}

impl<'a> NamedSegment<'a> {
    fn resolve(self, index: usize, names: &impl Names) -> Result<Segment<'a>, Fault> {
        let code: Arc<str> = names.region(&self.name).ok_or_else(|| {
            let pointer = format_args!("/segments/{index}/region");
            let rule = "must be a configured region, or an alias that stands for exactly one";
            Fault::at(DeadReason::UnknownRegion, pointer, rule)
        })?;
        Ok(Segment { region: self.region, code, recipients: self.recipients })
    }
}

fn read_segment((index, segment): (usize, SegmentOutline<'_>)) -> Result<NamedSegment<'_>, Fault> {
    let pointer = format!("/segments/{index}/region");
    let region = segment.region.ok_or_else(|| required(&pointer))?;
    let name = string(Some(region.get()), &pointer)?;
    let recipients = segment.recipients.ok_or_else(|| required(&format!("/segments/{index}/recipients")))?;
    Ok(NamedSegment { region, name, recipients })
}

fn job_id(value: Option<&str>) -> Result<Cow<'_, str>, Fault> {
    let job_id = string(value, "/job_id")?;
    if job_id.is_empty() || job_id.len() > JOB_ID_BYTES_MAX {
        return Err(Fault::schema("/job_id", format_args!("must have 1 to {JOB_ID_BYTES_MAX} bytes")));
    }
    Ok(job_id)
}

fn read_purpose(value: &str) -> Result<Purpose, Fault> {
    raw::string(value).and_then(|word| Purpose::parse(&word)).ok_or_else(|| {
        let rule = "must be one of marketing, transactional, service_notice, legal_notice";
        Fault::schema("/purpose", rule)
    })
}

fn read_part(value: &str) -> Result<Part, Fault> {
    const NAMES: [&str; 2] = ["index", "of"];
    let place = |name: &str| NAMES.iter().position(|known| *known == name);
    let read = members(&mut Cursor::new(value), NESTING_LEVELS_MAX, place);
    let ([index, of], _) = read.map_err(|misshapen| match misshapen {
        Misshapen::NoObject => Fault::schema("/part", "must be an object"),
        Misshapen::Twice(place) => Fault::schema(format_args!("/part/{}", NAMES[place]), "given twice"),
        Misshapen::Stopped(stop) => Fault::at(DeadReason::BadJson, "/part", stop.rule()),
    })?;
    let index = count(index, "/part/index")?;
    let of = count(of, "/part/of")?;
    if index >= of {
        return Err(Fault::schema("/part/index", "must be less than /part/of"));
    }
    Ok(Part { index, of })
}

fn read_send_until(value: &str) -> Result<Timestamp, Fault> {
    raw::string(value)
        .and_then(|text| parse_rfc3339(&text))
        .ok_or_else(|| Fault::schema("/send_until", "must be an RFC 3339 time with an offset"))
}

fn count(value: Option<&str>, pointer: &str) -> Result<u32, Fault> {
    let value = value.ok_or_else(|| required(pointer))?;
    raw::integer(value)
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| Fault::schema(pointer, format_args!("must be a whole number from 0 to {}", u32::MAX)))
}

fn string<'a>(value: Option<&'a str>, pointer: &str) -> Result<Cow<'a, str>, Fault> {
    let value = value.ok_or_else(|| required(pointer))?;
    raw::string(value).ok_or_else(|| Fault::schema(pointer, "must be a string"))
}

fn required(pointer: &str) -> Fault {
    Fault::schema(pointer, "is required")
}

fn given(value: &&str) -> bool {
    !raw::is_null(value)
}
