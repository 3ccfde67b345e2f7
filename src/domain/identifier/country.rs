//! The country whose dialling habits a number without a country code follows.

use rlibphonenumber::{PHONE_NUMBER_UTIL, Region};

/// A country with a telephone numbering plan (`identifiers.default_country`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Country {
    pub(super) region: Region,
    pub(super) calling_code: i32,
}

impl Country {
    /// The country with this ISO 3166 alpha-2 code, in capitals, if its numbering plan is known.
    pub fn parse(code: &str) -> Option<Self> {
        if code.len() != 2 || !code.bytes().all(|b| b.is_ascii_uppercase()) {
            return None;
        }
        let region = Region::from_code(code).ok()?;
        let calling_code = PHONE_NUMBER_UTIL.get_country_code_for_region(region)?;
        Some(Self { region, calling_code })
    }

    /// Whether the country shares the plan of calling code 7: Kazakhstan and Russia.
    pub(super) fn is_in_plan_7(&self) -> bool {
        self.calling_code == 7
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_a_capital_alpha_2_code_with_a_numbering_plan() {
        for code in ["KZ", "RU", "DE", "US", "UZ", "KG"] {
            assert!(Country::parse(code).is_some(), "{code}");
        }
        for code in ["", "K", "kz", "KAZ", "ZZ", "QQ", "001", "7", "ҚЗ"] {
            assert!(Country::parse(code).is_none(), "{code}");
        }
    }

    #[test]
    fn kazakhstan_and_russia_share_a_plan() {
        let shares = |code| Country::parse(code).unwrap().is_in_plan_7();
        assert!(shares("KZ") && shares("RU"));
        assert!(!shares("DE") && !shares("KG"));
    }
}
