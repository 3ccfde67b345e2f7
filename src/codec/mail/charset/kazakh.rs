//! The two Kazakh variants of windows-1251, which no library at hand knows.
//!
//! KZ-1048 (STRK 1048-2002) is the national standard, PTCP 154 its Asian Cyrillic cousin. Both keep the Russian
//! letters where they are and put others in place of the Serbian and Ukrainian ones.

use encoding_rs::WINDOWS_1251;

/// What differs from windows-1251.
pub(super) type Letters = &'static [(u8, char)];

pub(super) const KZ_1048: Letters = &[
    (0x8D, 'Қ'),
    (0x8E, 'Һ'),
    (0x9D, 'қ'),
    (0x9E, 'һ'),
    (0xA1, 'Ұ'),
    (0xA2, 'ұ'),
    (0xA3, 'Ә'),
    (0xA5, 'Ө'),
    (0xAA, 'Ғ'),
    (0xAF, 'Ү'),
    (0xB4, 'ө'),
    (0xBA, 'ғ'),
    (0xBC, 'ә'),
    (0xBD, 'Ң'),
    (0xBE, 'ң'),
    (0xBF, 'ү'),
];

/// The letters of Kazakh and of its neighbours.
pub(super) const PTCP_154: Letters = &[
    (0x80, 'Җ'),
    (0x81, 'Ғ'),
    (0x82, 'Ӯ'),
    (0x83, 'ғ'),
    (0x86, 'Ҷ'),
    (0x87, 'Ү'),
    (0x88, 'Ҳ'),
    (0x89, 'ү'),
    (0x8A, 'Ҡ'),
    (0x8B, 'Ӣ'),
    (0x8C, 'Ң'),
    (0x8D, 'Қ'),
    (0x8E, 'Һ'),
    (0x8F, 'Ҹ'),
    (0x90, 'җ'),
    (0x98, 'ҳ'),
    (0x99, 'ҷ'),
    (0x9A, 'ҡ'),
    (0x9B, 'ӣ'),
    (0x9C, 'ң'),
    (0x9D, 'қ'),
    (0x9E, 'һ'),
    (0x9F, 'ҹ'),
    (0xA4, 'Ө'),
    (0xA5, 'Ҙ'),
    (0xA6, 'Ұ'),
    (0xAA, 'Ә'),
    (0xAD, 'ӯ'),
    (0xAF, 'Ҝ'),
    (0xB1, 'ұ'),
    (0xB4, 'ҙ'),
    (0xB5, 'ө'),
    (0xBA, 'ә'),
    (0xBD, 'Ҫ'),
    (0xBE, 'ҫ'),
    (0xBF, 'ҝ'),
];

/// Every byte is one character in windows-1251, so the two run side by side.
pub(super) fn decode(bytes: &[u8], letters: Letters) -> String {
    let (russian, _) = WINDOWS_1251.decode_without_bom_handling(bytes);
    let letter = |byte: u8| letters.iter().find(|(place, _)| *place == byte).map(|(_, letter)| *letter);
    let own = |(russian, &byte): (char, &u8)| {
        if byte.is_ascii() { russian } else { letter(byte).unwrap_or(russian) }
    };
    russian.chars().zip(bytes).map(own).collect()
}
