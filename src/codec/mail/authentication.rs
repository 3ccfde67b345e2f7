//! `Authentication-Results` (RFC 8601): what our own server found out about `From`.
//!
//! Anybody can put such a field into a mail. One counts alone: the topmost of those that carry our server's
//! name. A server adds its field above all that came with the mail, so one that the sender forged in our name
//! stands further down. Where it stands among the `Received` fields says nothing: some servers put it above
//! their own, some below. A server that checks nothing removes forged fields too (RFC 8601, 5), or else has
//! no business being named in the settings.

use super::fields::Fields;
use super::limits::Limits;
use crate::domain::mail::letter::Authentication;

/// Results in one field that are looked at.
const RESULTS_MAX: usize = 32;

/// What one method found.
struct Result<'a> {
    method: &'a str,
    found: &'a str,
    /// `header.from`, `smtp.mailfrom`, `header.d` …, with their values.
    properties: Vec<(&'a str, &'a str)>,
}

/// Reads our server's verdict on the one address in `From`; on several there is none.
pub(super) fn read(fields: &Fields, from: &[String], limits: &Limits) -> Authentication {
    let (Some(ours), [from]) = (&limits.authserv_id, from) else { return Authentication::Unknown };
    let Some((_, domain)) = from.rsplit_once('@') else { return Authentication::Unknown };
    let domain = domain.to_lowercase();
    let plain = fields.all("authentication-results").map(without_comments);
    let topmost = plain.filter_map(|text| {
        let (server, results) = text.split_once(';').unwrap_or((&text, ""));
        let server = server.split_whitespace().next()?.trim_matches('"');
        server.eq_ignore_ascii_case(ours.trim()).then(|| results.to_owned())
    });
    topmost.take(1).next().map_or(Authentication::Unknown, |results| verdict(&results, &domain))
}

fn verdict(text: &str, domain: &str) -> Authentication {
    let results: Vec<Result<'_>> = text.split(';').take(RESULTS_MAX).filter_map(result).collect();
    let of = |method: &'static str| results.iter().filter(move |result| result.method == method);
    let about_from = |result: &&Result<'_>| {
        result.property("header.from").is_none_or(|from| from.trim_start_matches('@') == domain)
    };
    match of("dmarc").find(about_from).map(|result| result.found) {
        Some("pass" | "bestguesspass") => return Authentication::Passed,
        Some("fail" | "reject" | "quarantine") => return Authentication::Failed,
        _ => (),
    }
    let passed = |method| of(method).any(|result| result.found == "pass" && is_aligned(result, domain));
    let failed = |method| {
        let mut tried = of(method).peekable();
        tried.peek().is_some() && tried.all(|result| matches!(result.found, "fail" | "hardfail" | "softfail"))
    };
    if passed("spf") || passed("dkim") {
        Authentication::Passed
    } else if failed("spf") && failed("dkim") {
        Authentication::Failed
    } else {
        Authentication::Unknown
    }
}

impl Result<'_> {
    fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// Reads `method=result ptype.property=value …`; all in lower case already.
fn result(text: &str) -> Option<Result<'_>> {
    let mut pairs = text.split_whitespace().filter_map(|word| word.split_once('='));
    let (method, found) = pairs.next()?;
    // `dkim/1` names the method's version.
    let method = method.split('/').next()?;
    Some(Result {
        method,
        found,
        properties: pairs.map(|(name, value)| (name, value.trim_matches('"'))).collect(),
    })
}

/// Whether what passed speaks for this domain: it, one above it or one below it.
fn is_aligned(result: &Result<'_>, domain: &str) -> bool {
    let names: &[&str] = if result.method == "spf" {
        &["smtp.mailfrom", "smtp.mail", "envelope-from"]
    } else {
        &["header.d", "header.i"]
    };
    let value = names.iter().find_map(|name| result.property(name)).unwrap_or_default();
    let speaks_for = value.rsplit('@').next().unwrap_or_default();
    let below = |inner: &str, outer: &str| inner.strip_suffix(outer).is_some_and(|rest| rest.ends_with('.'));
    let is_domain = speaks_for.contains('.') && domain.contains('.');
    is_domain && (speaks_for == domain || below(speaks_for, domain) || below(domain, speaks_for))
}

/// The field in lower case without its comments, which may lie in each other, and with space around each `=` gone.
fn without_comments(value: &[u8]) -> String {
    let mut text = String::with_capacity(value.len());
    let (mut depth, mut escaped) = (0_usize, false);
    for c in String::from_utf8_lossy(value).chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => text.extend(c.to_lowercase()),
            _ => (),
        }
    }
    let mut tight = String::with_capacity(text.len());
    for (index, piece) in text.split('=').enumerate() {
        if index > 0 {
            tight.truncate(tight.trim_end().len());
            tight.push('=');
        }
        tight.push_str(if index > 0 { piece.trim_start() } else { piece });
    }
    tight
}
