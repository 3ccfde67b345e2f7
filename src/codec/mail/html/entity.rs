//! Character references: `&nbsp;`, `&laquo;`, `&#1057;`, `&#x421;`.
//!
//! The named ones that mail programs and people's keyboards produce; an unknown one stays as it is written.

/// Characters from `&` to `;`, both not counted.
const NAME_CHARS_MAX: usize = 10;

const NAMED: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{A0}'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("bdquo", '„'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("sbquo", '‚'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("minus", '−'),
    ("hellip", '…'),
    ("bull", '•'),
    ("middot", '·'),
    ("copy", '©'),
    ("reg", '®'),
    ("trade", '™'),
    ("sect", '§'),
    ("deg", '°'),
    ("shy", '\u{AD}'),
    ("zwnj", '\u{200C}'),
    ("zwj", '\u{200D}'),
    ("ensp", ' '),
    ("emsp", ' '),
    ("thinsp", ' '),
    ("euro", '€'),
    ("times", '×'),
    ("eacute", 'é'),
    ("egrave", 'è'),
    ("agrave", 'à'),
    ("auml", 'ä'),
    ("ouml", 'ö'),
    ("uuml", 'ü'),
    ("Auml", 'Ä'),
    ("Ouml", 'Ö'),
    ("Uuml", 'Ü'),
    ("szlig", 'ß'),
    ("ccedil", 'ç'),
    ("num", '#'),
    ("commat", '@'),
    ("period", '.'),
    ("colon", ':'),
    ("sol", '/'),
    ("Tab", '\t'),
    ("NewLine", '\n'),
];

/// The characters of a text with its references replaced.
pub(super) fn decoded(text: &str) -> impl Iterator<Item = char> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if let Some(behind) = rest.strip_prefix('&')
            && let Some((c, after)) = reference(behind)
        {
            rest = after;
            return Some(c);
        }
        let c = rest.chars().next()?;
        rest = &rest[c.len_utf8()..];
        Some(c)
    })
}

/// Reads a reference behind its `&`.
fn reference(behind: &str) -> Option<(char, &str)> {
    if let Some(number) = behind.strip_prefix('#') {
        return numeric(number);
    }
    let length = behind.chars().take(NAME_CHARS_MAX).take_while(char::is_ascii_alphanumeric).count();
    let (name, rest) = behind.split_at(length);
    let (_, c) = NAMED.iter().find(|(known, _)| *known == name)?;
    // Old pages leave the semicolon out.
    Some((*c, rest.strip_prefix(';').unwrap_or(rest)))
}

fn numeric(number: &str) -> Option<(char, &str)> {
    let (digits, radix) = number.strip_prefix(['x', 'X']).map_or((number, 10), |digits| (digits, 16));
    let length = digits.chars().take(NAME_CHARS_MAX).take_while(|c| c.is_digit(radix)).count();
    let (digits, rest) = digits.split_at(length);
    let code = u32::from_str_radix(digits, radix).ok()?;
    let c = char::from_u32(code).filter(|c| *c != '\0').unwrap_or(char::REPLACEMENT_CHARACTER);
    Some((c, rest.strip_prefix(';').unwrap_or(rest)))
}
