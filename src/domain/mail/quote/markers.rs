//! The marks of mail programs in Russian, Kazakh and English: the tables, in lower case.
//!
//! They are facts about programs, not policy, and so they are code; what people say is in the lexicon.

use super::Line;

/// Beginnings of subjects of answers.
pub(super) const REPLY_PREFIXES: &[&str] =
    &["re", "на", "ha", "отв", "ответ", "aw", "жауап", "жау", "reply", "автоответ"];

/// Beginnings of subjects of forwarded mails.
pub(super) const FORWARD_PREFIXES: &[&str] = &[
    "fw",
    "fwd",
    "пересл",
    "пересылка",
    "переслано",
    "wg",
    "қайта жіберу",
    "қайта жіберілді",
    "жіб",
    "forward",
];

/// Behind these a forwarded mail begins.
const FORWARD_MARKS: &[&str] = &[
    "forwarded message",
    "forwarded mail",
    "begin forwarded message",
    "пересылаемое сообщение",
    "пересланное сообщение",
    "пересланное письмо",
    "перенаправленное сообщение",
    "переадресованное сообщение",
    "начало переадресованного сообщения",
    "начало пересылаемого сообщения",
    "начало переадресованного письма",
    "пересылаемое письмо",
    "қайта жіберілген хабар",
    "қайта бағытталған хабар",
    "бағытталған хабар",
    "жолданған хабар",
    "қайта жолданған хабар",
    "қайта жіберілген хат",
];

/// Behind these the mail begins that is answered.
const ORIGINAL_MARKS: &[&str] = &[
    "original message",
    "original appointment",
    "original mail",
    "reply message",
    "исходное сообщение",
    "исходное письмо",
    "оригинальное сообщение",
    "первоначальное сообщение",
    "бастапқы хабар",
    "бастапқы хабарлама",
    "түпнұсқа хабар",
    "түпнұсқа хабарлама",
    "бастапқы хат",
    "ursprüngliche nachricht",
    "message d'origine",
];

/// Words of a header block, by what they name.
pub(super) const LABELS: &[(Label, &[&str])] = &[
    (Label::From, &["from", "от", "от кого", "отправитель", "кімнен", "жіберуші", "von", "de"]),
    (
        Label::Date,
        &[
            "sent",
            "date",
            "отправлено",
            "дата",
            "послано",
            "дата отправки",
            "жіберілді",
            "жіберілген",
            "күні",
            "жіберілген күні",
            "gesendet",
            "datum",
        ],
    ),
    (Label::To, &["to", "кому", "получатель", "кімге", "an"]),
    (Label::Subject, &["subject", "тема", "тақырып", "тақырыбы", "betreff"]),
    (
        Label::Other,
        &[
            "cc",
            "копия",
            "скрытая копия",
            "көшірме",
            "көшірмесі",
            "reply-to",
            "ответить",
            "importance",
            "важность",
        ],
    ),
];

/// What a line of a header block names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    From,
    Date,
    To,
    Subject,
    Other,
}

/// Verbs at the end of the line that says whose words follow.
pub(super) const WROTE: &[&str] = &[
    "wrote",
    "writes",
    "написал",
    "написала",
    "написал(а)",
    "написали",
    "пишет",
    "пишут",
    "писал",
    "писала",
    "писал(а)",
    "сообщает",
    "жазды",
    "жазған",
    "жазады",
    "жазып жіберді",
    "жазған болатын",
    "schrieb",
    "a écrit",
];

/// Words that such a line begins with, beside digits.
pub(super) const WROTE_BEGINS: &[&str] = &[
    "on",
    "at",
    "am",
    "le",
    "в",
    "во",
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
    "sun",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "пн",
    "вт",
    "ср",
    "чт",
    "пт",
    "сб",
    "вс",
    "понедельник",
    "вторник",
    "среда",
    "среду",
    "четверг",
    "пятница",
    "пятницу",
    "суббота",
    "субботу",
    "воскресенье",
    "дс",
    "сс",
    "бс",
    "жм",
    "сн",
    "жс",
    "дүйсенбі",
    "сейсенбі",
    "сәрсенбі",
    "бейсенбі",
    "жұма",
    "сенбі",
    "жексенбі",
    "чтв",
    "птн",
    "сбт",
    "вск",
    "пнд",
    "втр",
    "срд",
];

/// Months as such lines write them: by their first letters.
pub(super) const MONTHS: &[&str] = &[
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "янв", "фев", "мар",
    "апр", "мая", "май", "июн", "июл", "авг", "сен", "окт", "ноя", "дек", "қаң", "ақп", "нау", "сәу", "мам",
    "мау", "шіл", "там", "қыр", "қаз", "қар", "жел",
];

/// Lower case, one space between words, at most `chars_max` characters.
pub(super) fn folded(text: &str, chars_max: usize) -> String {
    let mut folded = String::with_capacity(text.len().min(chars_max * 2));
    for word in text.split(|c: char| c.is_whitespace() || c == '\u{A0}').filter(|word| !word.is_empty()) {
        if folded.len() > chars_max * 2 {
            break;
        }
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.chars().take(chars_max).flat_map(char::to_lowercase));
    }
    folded
}

/// «-------- Пересылаемое сообщение --------», "Begin forwarded message:".
pub(super) fn is_forward_mark(line: &Line<'_>) -> bool {
    is_mark(line, FORWARD_MARKS)
}

/// `-----Original Message-----`.
pub(super) fn is_original_mark(line: &Line<'_>) -> bool {
    is_mark(line, ORIGINAL_MARKS)
}

/// A mark stands alone in its line, between dashes or before a colon; in a sentence it is only words.
fn is_mark(line: &Line<'_>, marks: &[&str]) -> bool {
    let is_frame = |c: char| matches!(c, '-' | '—' | '–' | '_' | '=' | '*' | '+' | '~') || c.is_whitespace();
    let core = line.folded.trim_matches(is_frame);
    let framed = core.len() < line.folded.len();
    let (core, announced) = core.strip_suffix(':').map_or((core, false), |core| (core.trim_end(), true));
    if marks.contains(&core) {
        return framed || announced || line.folded.len() < 60;
    }
    // Yandex and mail.ru put the date or the sender between the dashes.
    framed && line.folded.starts_with("--") && marks.iter().any(|mark| core.starts_with(mark))
}

/// A line drawn across the page: Outlook's underscores.
pub(super) fn is_rule(line: &Line<'_>) -> bool {
    let drawn = |c: char| matches!(c, '_' | '-' | '—' | '=' | '*');
    line.inner.chars().count() >= 5 && line.inner.chars().all(drawn)
}
