//! The closed lists of regions and brands, and how people write them.
//!
//! A text means a region by its code, its name or an alias, whatever the case; an exact code always wins.
//! An alias may stand for several regions (old codes do, where a region was split): in an event's scope
//! it means all of them, in a job it means none. What is not listed does not exist; whether the lists
//! contradict each other is checked where they are read, not here.

use std::collections::HashMap;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;

/// A region's code or a brand as the configuration spells it: shared, never copied.
pub type Name = Arc<str>;

/// A part of the country that campaigns are cut by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// What jobs and scopes call it: `KZ-79`.
    pub code: Name,
    /// What people call it.
    pub name: String,
    /// What else it is called: other languages, old codes.
    pub aliases: Vec<String>,
}

/// All regions and all brands.
#[derive(Debug, Clone)]
pub struct Catalogue {
    regions: Vec<Region>,
    brands: Vec<Name>,
    /// Codes as they are spelled: nearly every look-up ends here, without folding.
    codes: HashMap<Name, usize>,
    folded_codes: HashMap<String, usize>,
    /// Names and aliases, folded, with the regions that they stand for, in the order of `regions`.
    words: HashMap<String, Vec<usize>>,
    folded_brands: HashMap<String, usize>,
}

impl Catalogue {
    /// Prepares the look-ups. Where two codes or two brands are the same, the first counts.
    pub fn new(regions: Vec<Region>, brands: Vec<String>) -> Self {
        let brands: Vec<Name> = brands.into_iter().map(Name::from).collect();
        let mut codes = HashMap::new();
        let mut folded_codes = HashMap::new();
        let mut words: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, region) in regions.iter().enumerate() {
            codes.entry(region.code.clone()).or_insert(index);
            folded_codes.entry(folded(&region.code)).or_insert(index);
            for word in std::iter::once(&region.name).chain(&region.aliases) {
                let meant = words.entry(folded(word)).or_default();
                if meant.last() != Some(&index) {
                    meant.push(index);
                }
            }
        }
        words.remove("");
        let mut folded_brands = HashMap::new();
        for (index, brand) in brands.iter().enumerate() {
            folded_brands.entry(folded(brand)).or_insert(index);
        }
        Self { regions, brands, codes, folded_codes, words, folded_brands }
    }

    /// The one region that a job's segment means, if the text means exactly one.
    pub fn region_of_job(&self, text: &str) -> Option<&Name> {
        match self.meant(text).as_slice() {
            [only] => Some(&self.regions[*only].code),
            _ => None,
        }
    }

    /// The regions that one text in an event's scope means: one or several, none if it is unknown.
    pub fn regions_of_scope(&self, text: &str) -> Vec<Name> {
        self.meant(text).into_iter().map(|index| self.regions[index].code.clone()).collect()
    }

    /// The brand of this name, whatever its case.
    pub fn brand(&self, text: &str) -> Option<&Name> {
        self.folded_brands.get(&folded(text)).map(|index| &self.brands[*index])
    }

    /// Every region.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// Every brand.
    pub fn brands(&self) -> &[Name] {
        &self.brands
    }

    fn meant(&self, text: &str) -> Vec<usize> {
        if let Some(index) = self.codes.get(text) {
            return vec![*index];
        }
        let text = folded(text);
        match self.folded_codes.get(&text) {
            Some(index) => vec![*index],
            None => self.words.get(&text).cloned().unwrap_or_default(),
        }
    }
}

/// The form in which names are compared: compatibility characters unified, case folded, white space at
/// the ends taken off and squeezed to one blank within.
pub fn folded(text: &str) -> String {
    let plain: String = text.nfkc().collect();
    let folded: String = caseless::default_case_fold_str(&plain).nfc().collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(code: &str, name: &str, aliases: &[&str]) -> Region {
        Region {
            code: code.into(),
            name: name.to_owned(),
            aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
        }
    }

    fn catalogue() -> Catalogue {
        Catalogue::new(
            vec![
                region("KZ-61", "Түркістан облысы", &["YUZ", "Туркестанская", "yuz"]),
                region("KZ-79", "Шымкент", &["YUZ", "Шымкент қаласы", "Shymkent"]),
                region("KZ-10", "Абай облысы", &["KZ-79", " ", "Абайская"]),
            ],
            vec!["lulla.kz".to_owned(), "Bilal".to_owned()],
        )
    }

    #[test]
    fn a_region_is_found_by_code_name_and_alias_in_any_case_and_spacing() {
        for text in ["KZ-79", "kz-79", " KZ-79\n", "шымкент", "ШЫМКЕНТ", "шымкент\u{a0} ҚАЛАСЫ", "SHYMKENT"]
        {
            assert_eq!(catalogue().region_of_job(text).map(|name| &**name), Some("KZ-79"), "{text}");
            assert_eq!(catalogue().regions_of_scope(text), [Name::from("KZ-79")], "{text}");
        }
    }

    #[test]
    fn letters_written_as_letter_and_accent_are_the_same_letters() {
        assert_eq!(catalogue().region_of_job("Абаи\u{306}ская").map(|name| &**name), Some("KZ-10"));
    }

    #[test]
    fn an_alias_of_several_regions_is_all_of_them_in_a_scope_and_none_in_a_job() {
        for text in ["YUZ", "yuz "] {
            assert_eq!(catalogue().region_of_job(text), None);
            assert_eq!(catalogue().regions_of_scope(text), [Name::from("KZ-61"), Name::from("KZ-79")]);
        }
    }

    #[test]
    fn what_is_not_listed_does_not_exist() {
        for text in ["", " ", "KZ-80", "KZ", "Шым"] {
            assert_eq!(catalogue().region_of_job(text), None);
            assert!(catalogue().regions_of_scope(text).is_empty());
            assert_eq!(catalogue().brand(text), None);
        }
    }

    #[test]
    fn a_brand_is_answered_in_the_spelling_of_the_configuration() {
        assert_eq!(catalogue().brand(" LULLA.kz").map(|name| &**name), Some("lulla.kz"));
        assert_eq!(catalogue().brand("bilal").map(|name| &**name), Some("Bilal"));
    }
}
