//! In which language a browser wants the page: `Accept-Language`, as RFC 9110 and RFC 4647 have it.
//!
//! A range means a language by its first part, so that `kk-KZ`, `kk-Cyrl-KZ` and `kk` all get Kazakh. What
//! cannot be read is passed over: a page in English is better than an error.

/// A language of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::admin) enum Language {
    English,
    Russian,
    Kazakh,
}

/// Ranges that are looked at; browsers send a handful.
const RANGES_MAX: usize = 32;

impl Language {
    /// In the order in which they are offered. Whoever wants none of them gets the last.
    pub(super) const ALL: [Self; 3] = [Self::Kazakh, Self::Russian, Self::English];

    /// As BCP 47 writes it.
    pub(in crate::admin) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Russian => "ru",
            Self::Kazakh => "kk",
        }
    }

    /// What it calls itself.
    pub(super) const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Russian => "Русский",
            Self::Kazakh => "Қазақша",
        }
    }

    pub(super) fn of_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(tag))
    }

    /// The language that is wanted most, by the values of `Accept-Language`; of equally wanted ones the one that is
    /// named first.
    pub(super) fn negotiate<'a>(headers: impl Iterator<Item = &'a str>) -> Self {
        let ranges = headers.flat_map(|header| header.split(',')).take(RANGES_MAX);
        let ranges: Vec<(&str, u16)> = ranges.filter_map(range).collect();
        let anything = ranges.iter().position(|(tag, _)| *tag == "*");
        // Its weight, and its place among equals.
        let wanted = |language: Self| {
            let named = ranges.iter().enumerate().filter(|(_, (tag, _))| language.is_in(tag));
            let best = named.max_by_key(|(place, (_, weight))| (*weight, std::cmp::Reverse(*place)));
            let best = best.map(|(place, _)| place).or(anything)?;
            let weight = ranges[best].1;
            (weight > 0).then_some((weight, std::cmp::Reverse(best)))
        };
        let wishes = Self::ALL.into_iter().rev().filter_map(|language| Some((wanted(language)?, language)));
        wishes
            .reduce(|best, next| if next.0 > best.0 { next } else { best })
            .map_or(Self::English, |(_, it)| it)
    }

    /// Whether a range means it: by its first part alone.
    fn is_in(self, range: &str) -> bool {
        range.split('-').next().is_some_and(|first| first.eq_ignore_ascii_case(self.tag()))
    }
}

/// A range with its weight in thousandths.
fn range(text: &str) -> Option<(&str, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let tag = parts.next().filter(|tag| !tag.is_empty())?;
    let mut weight = 1000;
    for parameter in parts {
        let (name, value) = parameter.split_once('=')?;
        if name.trim().eq_ignore_ascii_case("q") {
            weight = thousandths(value.trim())?;
        }
    }
    Some((tag, weight))
}

/// `1`, `0`, `0.8`, `1.000`: at most three digits behind the point, nothing beyond 1.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
    if digits.len() > 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part: u16 = format!("{digits:0<3}").parse().ok()?;
    match whole {
        "0" => Some(part),
        "1" if part == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_is_wanted_most_is_spoken() {
        let cases = [
            ("", "en"),
            ("kk", "kk"),
            ("ru-RU,ru;q=0.9,en-US;q=0.8,en;q=0.7", "ru"),
            ("kk-KZ,kk;q=0.9,ru;q=0.8,en;q=0.7", "kk"),
            ("kk-Cyrl-KZ", "kk"),
            ("KK-kz", "kk"),
            ("en;q=0.1, ru;q=0.2, kk;q=0.15", "ru"),
            ("de, ru;q=0.5", "ru"),
            ("de", "en"),
            ("de, *;q=0.5", "en"),
            ("ru, kk", "ru"),
            ("kk, ru", "kk"),
            ("ru;q=0.5, kk;q=0.500", "ru"),
            ("en;q=0, *", "ru"),
            ("en;q=0, ru;q=0.0, *;q=0.1", "kk"),
            ("en;q=0", "en"),
            ("*;q=0", "en"),
            ("ru;q=0, ru-RU;q=0.4, en;q=0.3", "ru"),
            ("*, kk;q=0.9", "en"),
            ("kk;q=0.001, ru;q=0.002", "ru"),
            ("\tru ; Q=0.4 ,en;q=0.3", "ru"),
            ("kk;level=1;q=0.2, ru;q=0.1", "kk"),
        ];
        for (header, expected) in cases {
            assert_eq!(Language::negotiate([header].into_iter()).tag(), expected, "{header}");
        }
        assert_eq!(Language::negotiate(["ru;q=0.3", "kk;q=0.7"].into_iter()), Language::Kazakh, "two lines");
    }

    #[test]
    fn what_cannot_be_read_is_passed_over() {
        let broken = [
            "kk;q=2",
            "kk;q=1.001",
            "kk;q=0.1234",
            "kk;q=",
            "kk;q=-1",
            "kk;q=.5",
            "kk;q=0,5",
            "kk;q",
            ";q=1",
            "kkk",
            "ru_RU",
            "kk;q=1e0",
            "kk;q=٠",
        ];
        for header in broken {
            let both = format!("{header}, ru;q=0.001");
            assert_eq!(Language::negotiate([both.as_str()].into_iter()), Language::Russian, "{header}");
        }
        let long = format!("{}kk", "de,".repeat(10_000));
        assert_eq!(Language::negotiate([long.as_str()].into_iter()), Language::English);
    }
}
