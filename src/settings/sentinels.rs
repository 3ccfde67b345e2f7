//! `redis.url` where it names Sentinels, in the form that Lettuce made known:
//!
//! `redis-sentinel://[user[:password]@]host[:port][,host[:port]…][/db]?sentinelMasterId=name`
//!
//! User, password and database are those of the data servers: what the Sentinels themselves ask for has keys of its
//! own. Nothing here connects, and no problem repeats a part of the URL.

use config::Value;
use url::{Host, Url};

use super::secret::{self, Secret};
use super::values::{Parsed, Problems, text};

/// What a URL begins with that names Sentinels, and what one of the servers they name would begin with.
const SCHEMES: [(&str, &str); 2] = [("redis-sentinel://", "redis"), ("rediss-sentinel://", "rediss")];

/// Redis's own for Sentinels.
const PORT: u16 = 26379;

const URL_BYTES_MAX: usize = 2048;
const SENTINELS_MAX: usize = 16;
const NAME_BYTES_MAX: usize = 128;

/// The parameter that names the primary.
const PARAMETER: &str = "sentinelMasterId";

/// Who is asked for the primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentinels {
    /// Where they are.
    pub hosts: Vec<(String, u16)>,
    /// How they call the primary: `sentinel monitor NAME …`.
    pub primary: String,
    /// As whom they are asked, if they ask for a user.
    pub user: Option<String>,
    /// The password for them, if they ask for one.
    pub password: Option<Secret>,
}

/// Where `redis.url` leads.
pub(super) struct Given {
    /// One server; with Sentinels, the login and the database for whichever server they name.
    pub(super) url: Secret,
    pub(super) sentinels: Option<Sentinels>,
}

/// A URL of one server, or of Sentinels.
pub(super) fn url(value: &Value) -> Parsed<Given> {
    let whole = text(URL_BYTES_MAX)(value).unwrap_or_default();
    for (begins, scheme) in SCHEMES {
        if let Some(rest) = whole.strip_prefix(begins) {
            return of_sentinels(scheme, rest);
        }
    }
    let one = secret::url(&["redis", "rediss", "redis+unix", "redis-sentinel", "rediss-sentinel"]);
    Ok(Given { url: one(value)?, sentinels: None })
}

fn of_sentinels(scheme: &str, rest: &str) -> Parsed<Given> {
    let (rest, fragment) = cut(rest, '#');
    let (rest, query) = cut(rest, '?');
    let (authority, path) = cut(rest, '/');
    let (login, hosts) =
        authority.rsplit_once('@').map_or((None, authority), |(login, at)| (Some(login), at));
    let mut problems = Vec::new();
    let mut note = |problem: String| problems.push((String::new(), problem));
    if login.is_some_and(|login| login.contains('@')) {
        note("give user and password once, before the first host; an @ in them is written %40".into());
    }
    let database = path.unwrap_or_default();
    if !database.chars().all(|digit| digit.is_ascii_digit()) {
        note("what follows the hosts is the number of the database: /0".into());
    }
    let primary = primary(query, fragment).map_err(&mut note);
    let hosts = self::hosts(hosts, &mut note);
    // The host stands for the server that the Sentinels name.
    let login = login.map(|login| format!("{login}@")).unwrap_or_default();
    let url = format!("{scheme}://{login}redis/{database}");
    if Url::parse(&url).is_err() {
        note("user and password are not as a URL has them: write other marks than - . _ ~ as %XX".into());
    }
    match primary {
        Ok(primary) if problems.is_empty() => {
            let sentinels = Sentinels { hosts, primary, user: None, password: None };
            Ok(Given { url: Secret::new(url), sentinels: Some(sentinels) })
        }
        _ => Err(Problems(problems)),
    }
}

/// What stands before a mark, and what after it.
fn cut(text: &str, mark: char) -> (&str, Option<&str>) {
    text.split_once(mark).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// The primary's name, from the parameter or, as it used to be written, from behind a `#`.
fn primary(query: Option<&str>, fragment: Option<&str>) -> Result<String, String> {
    let from_query = match query.map(|query| query.split_once('=')) {
        None => None,
        Some(Some((PARAMETER, name))) => Some(name),
        Some(_) => return Err(format!("knows one parameter alone: ?{PARAMETER}=NAME")),
    };
    let name = match (from_query, fragment) {
        (Some(name), None) | (None, Some(name)) => name,
        (None, None) => {
            return Err(format!("must end with ?{PARAMETER}=NAME, the name in `sentinel monitor NAME …`"));
        }
        (Some(_), Some(_)) => return Err(format!("names the primary twice: write ?{PARAMETER}=NAME alone")),
    };
    let known = |letter: char| letter.is_ascii_alphanumeric() || ".-_".contains(letter);
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(known) {
        return Err(format!(
            "{PARAMETER} must be a name as Sentinels have it: letters, digits, `.`, `-`, `_`"
        ));
    }
    Ok(name.to_owned())
}

/// The hosts that can be read; what is wrong with the others is noted.
fn hosts(list: &str, note: &mut impl FnMut(String)) -> Vec<(String, u16)> {
    let mut hosts: Vec<(String, u16)> = Vec::new();
    for (index, text) in list.split(',').enumerate() {
        match host(text) {
            Some(host) if hosts.contains(&host) => note(format!("Sentinel {} is named before", index + 1)),
            Some(host) => hosts.push(host),
            None => note(format!("Sentinel {} must be HOST or HOST:PORT", index + 1)),
        }
    }
    if hosts.len() > SENTINELS_MAX {
        note(format!("names more than {SENTINELS_MAX} Sentinels"));
    }
    hosts
}

fn host(text: &str) -> Option<(String, u16)> {
    // Of a known scheme, so that the host is checked, and no port is its default.
    let url = Url::parse(&format!("ws://{text}")).ok()?;
    let host = match url.host()? {
        Host::Domain(name) => name.to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    let port = match text.rsplit_once(':') {
        Some((_, port)) if !port.ends_with(']') => port.parse().ok().filter(|port| *port > 0)?,
        _ => PORT,
    };
    (!text.contains(['/', '@', '\\', ' '])).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The servers' URL, the hosts, the primary's name.
    type Read = (String, Vec<(String, u16)>, String);

    fn read(text: &str) -> Result<Read, Vec<String>> {
        match url(&Value::new(None, text)) {
            Ok(Given { url, sentinels: Some(sentinels) }) => {
                Ok((url.reveal().to_owned(), sentinels.hosts, sentinels.primary))
            }
            Ok(_) => panic!("one server"),
            Err(problems) => Err(problems.0.into_iter().map(|(_, problem)| problem).collect()),
        }
    }

    fn at(hosts: &[(&str, u16)]) -> Vec<(String, u16)> {
        hosts.iter().map(|(host, port)| ((*host).to_owned(), *port)).collect()
    }

    #[test]
    fn sentinels_are_read_as_lettuce_writes_them() {
        for (text, url, hosts) in [
            ("redis-sentinel://a?sentinelMasterId=m", "redis://redis/", &[("a", 26379)][..]),
            ("redis-sentinel://a#m", "redis://redis/", &[("a", 26379)]),
            ("redis-sentinel://a:80,b:2/3?sentinelMasterId=m", "redis://redis/3", &[("a", 80), ("b", 2)]),
            ("rediss-sentinel://u:p%40,@a,b:1/#m", "rediss://u:p%40,@redis/", &[("a", 26379), ("b", 1)]),
            (
                "redis-sentinel://u@[::1]:7,[::1],10.0.0.1#m",
                "redis://u@redis/",
                &[("::1", 7), ("::1", 26379), ("10.0.0.1", 26379)],
            ),
        ] {
            assert_eq!(read(text), Ok((url.into(), at(hosts), "m".into())), "{text}");
        }
    }

    #[test]
    fn every_mistake_in_it_is_told_and_none_of_its_words() {
        for (text, told) in [
            ("redis-sentinel://a", &["must end with ?sentinelMasterId=NAME"][..]),
            ("redis-sentinel://a?sentinelMasterId=", &["sentinelMasterId must be a name"]),
            ("redis-sentinel://a?sentinelMasterId=hunter2&x=1", &["sentinelMasterId must be a name"]),
            ("redis-sentinel://a?timeout=hunter2#m", &["knows one parameter alone"]),
            ("redis-sentinel://a?sentinelMasterId=m#m", &["names the primary twice"]),
            ("redis-sentinel://?sentinelMasterId=m", &["Sentinel 1 must be HOST"]),
            ("redis-sentinel://a,,b:99999,b:0#m", &["Sentinel 2 must", "Sentinel 3 must", "Sentinel 4 must"]),
            ("redis-sentinel://a,b,a:26379#m", &["Sentinel 3 is named before"]),
            ("redis-sentinel://u:hunter2@a,u:hunter2@b#m", &["give user and password once"]),
            ("redis-sentinel://a/hunter2", &["what follows the hosts", "must end with"]),
            ("redis-sentinel://a,b c/0#m", &["Sentinel 2 must"]),
        ] {
            let problems = read(text).unwrap_err();
            assert_eq!(problems.len(), told.len(), "{text}: {problems:?}");
            for (problem, begins) in problems.iter().zip(told) {
                assert!(problem.starts_with(begins) && !problem.contains("hunter2"), "{text}: {problem}");
            }
        }
    }
}
