//! Where a signature begins, and what mail programs and offices put into mails by themselves.

use super::Line;
use super::markers::folded;

/// How a letter is closed.
pub(super) enum Closing {
    /// A closing in a line of its own, with a name at most.
    Line,
}

/// Words that close a letter. Only a name may follow them in their line.
const CLOSINGS: &[&str] = &[
    "с уважением",
    "с наилучшими пожеланиями",
    "с наилучшими",
    "с найлучшими пожеланиями",
    "с благодарностью",
    "с почтением",
    "с искренним уважением",
    "с глубоким уважением",
    "всего доброго",
    "всего хорошего",
    "всего наилучшего",
    "искренне ваш",
    "искренне ваша",
    "құрметпен",
    "курметпен",
    "ізгі ниетпен",
    "ізгі тілекпен",
    "шын жүректен",
    "сәлеммен",
    "алдын ала рахмет",
    "qurmetpen",
    "kurmetpen",
    "best regards",
    "kind regards",
    "warm regards",
    "regards",
    "best wishes",
    "sincerely",
    "yours sincerely",
    "sincerely yours",
    "yours faithfully",
    "yours truly",
    "cheers",
];

/// Lines that programs add: by what they begin with.
const PROGRAM_LINES: &[&str] = &[
    "отправлено с ",
    "отправлено со ",
    "отправлено из ",
    "отправлено через ",
    "отправлено от ",
    "послано с ",
    "послано из ",
    "пересылка отправлена с ",
    "скачать outlook для ",
    "загрузить outlook для ",
    "получить outlook для ",
    "sent from ",
    "sent via ",
    "sent with ",
    "sent using ",
    "get outlook for ",
    "download outlook for ",
    "без вирусов",
    "вирусов нет",
    "virus-free",
    "проверено антивирусом",
    "это сообщение проверено на вирусы",
    "this email has been checked for viruses",
    "this message has been checked for viruses",
    "www.avast.com",
    "mail.ru агент",
    "почта mail.ru для ",
    "яндекс почта",
];

/// Kazakh puts the verb at the end: «iPhone-нан жіберілді».
const PROGRAM_ENDS: &[&str] =
    &[" жіберілді", " жіберілген", " арқылы жіберілді", " жолданды", " қосымшасынан жазылған"];
/// What such a line names: without one it may be a sentence.
const PROGRAMS: &[&str] = &[
    "iphone",
    "ipad",
    "android",
    "samsung",
    "galaxy",
    "xiaomi",
    "redmi",
    "huawei",
    "honor",
    "poco",
    "outlook",
    "mail.ru",
    "mail",
    "gmail",
    "yandex",
    "яндекс",
    "почт",
    "пошта",
    "телефон",
    "смартфон",
    "планшет",
    "mobile",
    "мобильн",
    "ұялы",
    "құрылғы",
    "устройств",
    "айфон",
    "my.com",
    "mymail",
    "blackberry",
    "nokia",
    "windows",
    "yahoo",
    "proton",
    "spark",
    "huawei",
    "realme",
    "oppo",
    "vivo",
    "phone",
    "смарт",
    "пошта",
    "device",
];

/// What is longer is a paragraph.
const PROGRAM_LINE_BYTES_MAX: usize = 180;

/// Beginnings of disclaimers; all that follows belongs to them.
const DISCLAIMERS: &[&str] = &[
    "confidentiality notice",
    "confidentiality note",
    "disclaimer",
    "this e-mail and any",
    "this email and any",
    "this message and any",
    "this e-mail is confidential",
    "this email is confidential",
    "this message is confidential",
    "the information contained in this",
    "the information in this e",
    "this communication is",
    "please consider the environment",
    "уведомление о конфиденциальности",
    "это сообщение и любые",
    "это электронное сообщение",
    "настоящее сообщение",
    "настоящее электронное",
    "данное сообщение и",
    "данное электронное",
    "информация, содержащаяся в",
    "информация в этом сообщении",
    "содержание данного сообщения",
    "содержание этого сообщения",
    "конфиденциально:",
    "внимание! это сообщение",
    "подумайте об окружающей среде",
    "пожалуйста, подумайте об окружающей среде",
    "прежде чем распечатать",
    "құпиялылық туралы",
    "бұл хабарлама және",
    "бұл хат және",
    "бұл электрондық хабарлама",
    "осы хабарлама және",
    "осы хабарламадағы ақпарат",
];

const POSTSCRIPTS: &[&str] = &["p.s", "p. s", "ps.", "ps:", "ps ", "з.ы", "зы.", "зы:", "п.с", "пс.", "пс:"];

/// `-- `, the standard's mark, or a disclaimer's first words.
pub(super) fn begins(line: &Line<'_>) -> bool {
    matches!(line.raw.trim(), "--" | "—" | "––" | "- -")
        || DISCLAIMERS.iter().any(|start| line.folded.starts_with(start))
}

/// A line that a program wrote by itself. Something else may stand above and below it.
pub(super) fn is_program_line(line: &Line<'_>) -> bool {
    if line.folded.len() > PROGRAM_LINE_BYTES_MAX {
        return false;
    }
    let text = line.folded.trim_matches(|c: char| !c.is_alphanumeric());
    let names_one = || PROGRAMS.iter().any(|program| text.contains(program));
    match PROGRAM_LINES.iter().find(|start| text.starts_with(start.trim_end())) {
        Some(start) => !start.ends_with(' ') || names_one(),
        None => PROGRAM_ENDS.iter().any(|end| text.ends_with(end)) && names_one(),
    }
}

/// Own words below a signature.
pub(super) fn is_postscript(line: &Line<'_>) -> bool {
    POSTSCRIPTS.iter().any(|start| line.folded.starts_with(start))
}

/// Whether a line closes the letter: «С уважением,» or «С уважением, Иван Петров», and not «С уважением прошу…».
pub(super) fn closing(line: &Line<'_>) -> Option<Closing> {
    let text = line.folded.trim_start_matches(|c: char| !c.is_alphanumeric());
    let phrase =
        CLOSINGS.iter().filter(|phrase| text.starts_with(**phrase)).max_by_key(|phrase| phrase.len())?;
    let behind = &text[phrase.len()..];
    if behind.starts_with(char::is_alphanumeric) {
        return None;
    }
    let words = phrase.split(' ').count();
    let rest: Vec<&str> =
        line.inner.split_whitespace().skip(words).filter(|word| has_letters(word)).collect();
    let plain =
        folded(line.inner, 200).chars().any(char::is_lowercase) && line.inner.chars().any(char::is_lowercase);
    let named = rest.len() <= 4 && rest.iter().all(|word| is_name(word)) && (plain || rest.is_empty());
    named.then_some(Closing::Line)
}

fn has_letters(word: &str) -> bool {
    word.contains(char::is_alphanumeric)
}

/// A name begins with a capital; «ТОО» and «г.» stand among names too.
fn is_name(word: &str) -> bool {
    word.chars().find(|c| c.is_alphanumeric()).is_some_and(|c| c.is_uppercase() || c.is_numeric())
}
