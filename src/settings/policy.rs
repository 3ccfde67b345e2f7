//! `[policy]`: for which brands the list is kept, and who may write to people past an opt-out.

use crate::domain::catalogue::folded;

use super::section::Section;
use super::values::{list, text};

const BRANDS_MAX: usize = 1000;
const BRAND_BYTES_MAX: usize = 128;
const PUBLISHERS_MAX: usize = 100;
/// AMQP's limit for a user's name.
const USER_BYTES_MAX: usize = 255;

/// The company's rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// AMQP users that may publish jobs with another purpose than marketing.
    pub exempt_publishers: Vec<String>,
}

impl Policy {
    /// The policy and the brands, which the catalogue takes.
    pub(super) fn take(section: &mut Section<'_>) -> (Self, Vec<String>) {
        let example = "brands = [\"lulla.kz\"]";
        let brands = section.require("brands", example, list(1..=BRANDS_MAX, text(BRAND_BYTES_MAX)));
        let brands: Vec<String> = brands.unwrap_or_default();
        for (index, brand) in brands.iter().enumerate() {
            if brands[..index].iter().any(|other| folded(other) == folded(brand)) {
                section.refuse(&["brands"], &format!("[{index}]"), "is named before; remove it");
            }
        }
        let exempt_publishers =
            section.or("exempt_publishers", Vec::new(), list(0..=PUBLISHERS_MAX, text(USER_BYTES_MAX)));
        (Self { exempt_publishers }, brands)
    }
}
