//! `[tracing]`: where spans go, if anywhere.

use config::{Value, ValueKind};
use url::{Position, Url};

use super::section::Section;
use super::tls;
use super::values::{Parsed, fraction, text};
use crate::tls::TlsFiles;

/// The scheme of a collector over TLS.
const SECURED: &str = "https";

const URL_BYTES_MAX: usize = 1024;

const SERVICE_NAME_BYTES_MAX: usize = 128;

/// Whether traces are exported, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Tracing {
    /// The collector; `None`: spans are not even made.
    pub collector: Option<Collector>,
    /// By what the collector is known with `https://`, and we are known to it.
    pub tls: TlsFiles,
    /// Of the messages that come without a trace, how many begin one.
    pub sample_ratio: f64,
    /// What this service is called in traces.
    pub service_name: String,
}

/// Where a collector takes OTLP over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collector {
    /// Whether over TLS.
    pub secured: bool,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What stands before `/v1/traces`.
    pub path: String,
}

impl Tracing {
    pub(super) fn take(section: &mut Section<'_>) -> Self {
        let collector = section.or("otlp_endpoint", None, endpoint);
        let secured = collector.as_ref().is_some_and(|collector| collector.secured);
        Self {
            tls: tls::take(section, if secured { SECURED } else { "" }, SECURED),
            collector,
            sample_ratio: section.or("sample_ratio", 1.0, fraction),
            service_name: section.or("service_name", "suppressd", text(SERVICE_NAME_BYTES_MAX)),
        }
    }
}

/// A collector's address; an empty text is none.
fn endpoint(value: &Value) -> Parsed<Option<Collector>> {
    if matches!(&value.kind, ValueKind::String(text) if text.trim().is_empty()) {
        return Ok(None);
    }
    let problem = "must be a URL such as http://127.0.0.1:4318, or \"\" to export nothing";
    let url = Url::parse(&text(URL_BYTES_MAX)(value)?).map_err(|_| problem)?;
    let secured = url.scheme() == SECURED;
    let (Some(host), Some(port), true) =
        (url.host_str(), url.port_or_known_default(), secured || url.scheme() == "http")
    else {
        return Err(problem.into());
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must hold no user and no password: let a collector beside the worker add them".into());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must end with the path that stands before /v1/traces".into());
    }
    let path = url[Position::BeforePath..].trim_end_matches('/').to_owned();
    Ok(Some(Collector { secured, host: host.to_owned(), port, path }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::section::{self, Notes};

    /// The section as it is in variables.
    fn taken(endpoint: &str, ratio: &str) -> Result<Tracing, Vec<String>> {
        let mut notes = Notes::default();
        let value = |text: &str| Value::new(Some(&"SUPPRESSD__TRACING".to_owned()), text);
        let table =
            [("otlp_endpoint".to_owned(), value(endpoint)), ("sample_ratio".to_owned(), value(ratio))];
        let table = config::Map::from_iter(table);
        let tree =
            Value::new(None, config::Map::from_iter([("tracing".to_owned(), Value::new(None, table))]));
        let taken = section::read(tree, &mut notes, |root| root.section("tracing", Tracing::take));
        let mistakes: Vec<_> = notes.mistakes.iter().map(ToString::to_string).collect();
        if mistakes.is_empty() { Ok(taken) } else { Err(mistakes) }
    }

    #[test]
    fn a_collector_is_an_address_and_nothing_is_none() {
        let of = |text: &str| taken(text, "1").unwrap().collector;
        assert_eq!(of(""), None);
        let local = Collector { secured: false, host: "127.0.0.1".into(), port: 4318, path: String::new() };
        assert_eq!(of("http://127.0.0.1:4318"), Some(local.clone()));
        assert_eq!(of("http://127.0.0.1:4318/"), Some(local));
        let there = Collector { secured: true, host: "[::1]".into(), port: 443, path: "/otlp".into() };
        assert_eq!(of("https://[::1]/otlp/"), Some(there));
    }

    #[test]
    fn what_is_no_collector_is_refused_without_its_words() {
        for endpoint in [
            "127.0.0.1:4318",
            "grpc://collector:4317",
            "http://",
            "collector",
            "http://user:hunter2@collector:4318",
            "http://hunter2@collector:4318",
            "http://collector:4318/?key=hunter2",
        ] {
            let refused = taken(endpoint, "1").unwrap_err();
            assert!(refused.len() == 1 && refused[0].contains("tracing.otlp_endpoint"), "{refused:?}");
            assert!(!refused[0].contains("hunter2"), "{refused:?}");
        }
    }

    #[test]
    fn a_ratio_is_a_share() {
        for (given, ratio) in [("0", 0.0), ("0.25", 0.25), ("1.0", 1.0)] {
            let taken = taken("", given).unwrap().sample_ratio;
            assert!((taken - ratio).abs() < f64::EPSILON, "{given}");
        }
        for given in ["1.1", "-0.1", "nan", "half", ""] {
            assert!(taken("", given).is_err(), "{given}");
        }
    }
}
