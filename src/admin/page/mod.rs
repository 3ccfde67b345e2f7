//! The status page: for the person on duty and the compliance officer, read in ten seconds.
//!
//! A pure function from a status and a wish to a text; `maud` escapes whatever is not written here. It loads
//! nothing, and works without its script, which only spares a reader the jump of a page that loads again. What is
//! written in English beside a translation (why something is lacking) is marked as English. Absent: identifiers,
//! names of requests, anything to click that changes anything.

mod figures;
mod flow;
mod language;
mod numbers;
mod plot;
mod reasons;
mod standing;
mod terms;
#[cfg(test)]
pub(in crate::admin) mod tests;
mod words;

use std::sync::LazyLock;

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use self::language::Language;
use self::plot::Frame;
use self::words::{Text, Words, say, words};
use crate::service::status::Status;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("renew.js");

/// Seconds after which a browser without scripts loads the page again.
const RELOAD_S: u32 = 30;

/// What is asked of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) language: Language,
    /// Whether the language was chosen on the page: then its links keep it.
    chosen: bool,
    /// Whether the page renews itself.
    renewed: bool,
}

impl Request {
    /// By the query (`lang=kk`, `refresh=off`), and by the values of `Accept-Language`.
    pub(super) fn new<'a>(query: &str, wishes: impl Iterator<Item = &'a str>) -> Self {
        let value =
            |name| query.split('&').filter_map(|pair| pair.split_once('=')).find(|pair| pair.0 == name);
        let chosen = value("lang").and_then(|(_, tag)| Language::of_tag(tag));
        Self {
            language: chosen.unwrap_or_else(|| Language::negotiate(wishes)),
            chosen: chosen.is_some(),
            renewed: value("refresh").is_none_or(|(_, wish)| wish != "off"),
        }
    }

    /// A link to the page that is asked for like this: relative, so that it works behind any path of a proxy.
    fn link(self) -> String {
        let language = self.chosen.then(|| format!("lang={}", self.language.tag()));
        let renewed = (!self.renewed).then(|| "refresh=off".to_owned());
        let wishes: Vec<String> = language.into_iter().chain(renewed).collect();
        format!("?{}", wishes.join("&"))
    }
}

/// What the parts of the page draw from.
#[derive(Clone, Copy)]
struct View<'a> {
    status: &'a Status,
    request: Request,
    words: &'static Words,
}

impl<'a> View<'a> {
    fn language(&self) -> Language {
        self.request.language
    }

    fn say(&self, text: &Text) -> &'static str {
        say(self.language(), text)
    }

    fn frame(&self) -> Frame<'a> {
        Frame { language: self.language(), at: self.status.at, zone: &self.status.zone }
    }
}

/// The page.
pub(super) fn draw(status: &Status, request: Request) -> String {
    let words = words(request.language);
    let view = View { status, request, words };
    let page = html! {
        (DOCTYPE)
        html lang=(request.language.tag()) {
            (head(view))
            body {
                header {
                    h1 { "suppressd " small { (status.process.host) } }
                    (languages(view))
                }
                main {
                    p #gone role="alert" hidden { (words.gone) }
                    (standing::standing(view))
                    div .columns {
                        (figures::requests(view))
                        (figures::waiting(view))
                        (figures::list(view))
                    }
                    (flow::flow(view))
                    div .columns {
                        (reasons::removed(view))
                        (reasons::dead(view))
                    }
                    (flow::regions(view))
                }
                (footer(view))
            }
        }
    };
    page.into_string()
}

fn head(view: View<'_>) -> Markup {
    let renewed = view.request.renewed;
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="robots" content="noindex";
            title { (standing::headline(view)) " " (view.words.title) }
            // An empty icon: otherwise browsers ask for one.
            link rel="icon" href="data:,";
            style { (PreEscaped(STYLE)) }
            @if renewed {
                noscript { meta http-equiv="refresh" content=(RELOAD_S); }
                script type="module" { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

fn languages(view: View<'_>) -> Markup {
    html! {
        nav aria-label=(view.words.language) {
            @for language in Language::ALL {
                @let current = (language == view.language()).then_some("true");
                @let link = Request { language, chosen: true, ..view.request }.link();
                a href=(link) lang=(language.tag()) hreflang=(language.tag()) aria-current=[current] {
                    (language.own_name())
                }
                " "
            }
        }
    }
}

fn footer(view: View<'_>) -> Markup {
    let View { status, words, request } = view;
    let process = &status.process;
    let (said, link) = if request.renewed {
        (words.refreshed, words.stop_refresh)
    } else {
        (words.not_refreshed, words.start_refresh)
    };
    html! {
        footer {
            p { (words.this_worker) }
            p #as-of data-live {
                (words.as_of) " "
                time datetime=(status.at) { (numbers::exact(&status.zone, status.at)) }
                " (" (words.times_in) " " (numbers::zone(&status.zone, status.at)) "). "
                (words.worker) ": " (process.host) ", " (words.process) " " (process.pid) ", "
                (words.version) " " (process.version) ", " (words.started) " "
                (numbers::moment(&status.zone, process.started_at)) "."
            }
            p {
                (said) " "
                a href=(Request { renewed: !request.renewed, ..request }.link()) { (link) } ". "
                (words.for_machines) ": " a href="ready" { "/ready" } ", " a href="metrics" { "/metrics" } "."
            }
        }
    }
}

/// A text in which what stands between backticks is typed as it is.
fn marked(text: &str) -> Markup {
    html! {
        @for (place, part) in text.split('`').enumerate() {
            @if place % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// Nothing may run, load or be sent but this style, this script, and the page again.
pub(super) fn security_policy() -> HeaderValue {
    static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
        let (style, script) = (digest(STYLE), digest(SCRIPT));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; connect-src 'self'; \
             img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        HeaderValue::try_from(policy).expect("a policy is ASCII")
    });
    POLICY.clone()
}

/// The SHA-256 of a text in Base64, as a security policy names it.
fn digest(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text))
}
