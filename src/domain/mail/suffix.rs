//! Endings of Kazakh verbs, folded: whether they negate, and whether they ask or tell.
//!
//! Kazakh negates by a syllable behind the stem (ма, ме, ба, бе, па, пе), and what follows it tells "do not
//! send" (жібермеңіз, жібермеуіңізді, жібермесін) from "did not send" (жібермедіңіз, жібермейсіз).

/// What an ending does to its verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// It does not negate it.
    Plain,
    /// Asks or wishes that it be not done.
    Unwished,
    /// Tells that it is not done.
    NotDone,
}

/// Syllables of the passive and the reflexive, which stand before the negation.
const VOICES: [&str; 6] = ["", "ил", "ин", "т", "тир", "е"];
const NEGATIONS: [&str; 6] = ["ма", "ме", "ба", "бе", "па", "пе"];
/// How an ending goes on behind the negation where something is asked or wished.
const WISHES: [&str; 8] = ["низ", "нд", "нш", "ш", "у", "син", "се", "са"];

/// What an ending, folded, does to its verb.
pub(super) fn mood(ending: &str) -> Mood {
    for voice in VOICES {
        let Some(rest) = ending.strip_prefix(voice) else { continue };
        for negation in NEGATIONS {
            if let Some(rest) = rest.strip_prefix(negation) {
                return if is_wish(rest) { Mood::Unwished } else { Mood::NotDone };
            }
        }
    }
    Mood::Plain
}

fn is_wish(rest: &str) -> bool {
    // жіберме; жібермей-ақ қойыңыз.
    matches!(rest, "" | "и" | "н") || WISHES.iter().any(|wish| rest.starts_with(wish))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mail::fold::forms;

    fn of(word: &str, stem: &str) -> Mood {
        mood(forms(word).own.strip_prefix(forms(stem).own.as_str()).unwrap())
    }

    #[test]
    fn a_wish_is_told_from_a_report() {
        for word in [
            "жібермеңіз",
            "жібермеңіздер",
            "жібермеңіздерші",
            "жібермеңдер",
            "жіберме",
            "жіберменші",
            "жібермеуіңізді",
            "жібермеуді",
            "жібермесін",
            "жіберілмесін",
            "жібермесеңіз",
            "жібермей",
            "жібермеші",
        ] {
            assert_eq!(of(word, "жібер"), Mood::Unwished, "{word}");
        }
        for word in ["жібермейсіз", "жібермедіңіз", "жібермеген", "жіберілмеді", "жібермейді", "жібермепті"]
        {
            assert_eq!(of(word, "жібер"), Mood::NotDone, "{word}");
        }
        for word in ["жіберіңіз", "жіберуді", "жібер", "жіберді", "жіберіп"]
        {
            assert_eq!(of(word, "жібер"), Mood::Plain, "{word}");
        }
        assert_eq!(of("тартпаймын", "тарт"), Mood::NotDone);
        assert_eq!(of("жазбаңыз", "жаз"), Mood::Unwished);
        assert_eq!(of("мазаламаңыздар", "мазала"), Mood::Unwished);
    }
}
