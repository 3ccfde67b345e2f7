//! `[regions.<code>]`: the regions and what else they are called.
//!
//! A code means its region only: no other region may carry it as its code, name or alias. An alias may
//! be listed at several regions, because old codes stand for all regions that came out of one.

use std::collections::HashMap;

use crate::domain::catalogue::{Region, folded};

use super::section::Section;
use super::values::{list, text};

const CODE_BYTES_MAX: usize = 64;
const NAME_BYTES_MAX: usize = 128;
const ALIASES_MAX: usize = 100;

/// Every region, in the order of their codes.
pub(super) fn take(root: &mut Section<'_>) -> Vec<Region> {
    let regions = root.sections("regions", |code, section| {
        let name = section.require("name", "name = \"Шымкент\"", text(NAME_BYTES_MAX));
        let aliases = section.or("aliases", Vec::new(), list(0..=ALIASES_MAX, text(NAME_BYTES_MAX)));
        if code.is_empty() || code.len() > CODE_BYTES_MAX || !code.chars().all(in_codes) {
            section.refuse(
                &[],
                "",
                "must have a code of at most 64 bytes of letters, digits, `_`, `-` and `.`",
            );
        }
        Region { code: code.into(), name: name.unwrap_or_default(), aliases }
    });
    refuse_contradictions(&regions, root);
    regions
}

fn in_codes(letter: char) -> bool {
    letter.is_alphanumeric() || "_-.".contains(letter)
}

fn refuse_contradictions(regions: &[Region], root: &mut Section<'_>) {
    let mut codes = HashMap::new();
    let mut names = HashMap::new();
    for region in regions {
        let code: &str = &region.code;
        if let Some(other) = codes.insert(folded(code), code) {
            let problem = format!("differs from the region {other} only in its case; remove one");
            root.refuse(&["regions", code], "", problem);
        }
        if let Some(other) = names.insert(folded(&region.name), code).filter(|_| !region.name.is_empty()) {
            let problem = format!("is the name of the region {other} too; give each its own");
            root.refuse(&["regions", code, "name"], "", problem);
        }
    }
    for region in regions {
        let own: &str = &region.code;
        let mut refuse_code_of_another = |word: &str, key, place: &str| {
            if let Some(other) = codes.get(&folded(word)).filter(|other| **other != own) {
                let problem = format!("is the code of the region {other}, which always wins; remove it");
                root.refuse(&["regions", own, key], place, problem);
            }
        };
        refuse_code_of_another(&region.name, "name", "");
        for (index, alias) in region.aliases.iter().enumerate() {
            refuse_code_of_another(alias, "aliases", &format!("[{index}]"));
        }
    }
}
