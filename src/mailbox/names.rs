//! Names of folders as IMAP writes them: modified UTF-7 (RFC 3501, 5.1.3), quoted.

/// Modified base64: a comma in place of the slash, no padding.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// A folder's name as servers know it.
pub(super) fn encoded(name: &str) -> String {
    let mut out = String::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let plain = |c: char| (' '..='~').contains(&c);
        let end = rest.find(|c| plain(c) != plain(first)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        if plain(first) {
            out.push_str(&run.replace('&', "&-"));
        } else {
            out.push('&');
            base64(run, &mut out);
            out.push('-');
        }
    }
    out
}

fn base64(text: &str, out: &mut String) {
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for group in bytes.chunks(3) {
        let bits =
            group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for digit in 0..=group.len() {
            let place = bits >> (18 - 6 * digit) & 63;
            out.push(char::from(DIGITS[place as usize]));
        }
    }
}

/// A text as an argument of a command. Settings let no line break in.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_ascii_are_written_as_servers_know_them() {
        for (name, expected) in [
            ("INBOX", "INBOX"),
            ("Tom & Jerry", "Tom &- Jerry"),
            ("Entwürfe", "Entw&APw-rfe"),
            ("台北", "&U,BTFw-"),
            ("Спам", "&BCEEPwQwBDw-"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ] {
            assert_eq!(encoded(name), expected);
        }
        assert_eq!(quoted(r#"a "b" \"#), r#""a \"b\" \\""#);
    }
}
