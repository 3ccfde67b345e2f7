//! The page as a text: whole in every language and state, safe whatever the settings say, and small.

use std::collections::BTreeSet;

use suppressd::domain::catalogue::{Catalogue, Region};
use suppressd::service::health::{Dependency, State, Warning};

use crate::http::Server;
use crate::scenes::Scene;

const LANGUAGES: [&str; 3] = ["kk", "ru", "en"];

/// What a page may weigh.
const PAGE_BYTES_MAX: usize = 60 * 1024;

/// The elements that have no end.
const VOID: [&str; 6] = ["meta", "link", "path", "br", "hr", "img"];

/// Whether a page shows this, whatever spaces are in it.
fn shows(page: &str, text: &str) -> bool {
    page.replace(['\u{a0}', '\u{202f}'], " ").contains(text)
}

/// The opening tags of a page, in their order; every one that must be ended is.
fn tags(page: &str) -> Vec<String> {
    let (mut open, mut tags) = (Vec::new(), Vec::new());
    let mut rest = page.split_once('<').map(|(_, rest)| rest).unwrap();
    loop {
        let (tag, after) = rest.split_once('>').expect("a tag ends");
        let name = tag.split([' ', '\n']).next().unwrap_or_default();
        if let Some(ended) = name.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(ended), "what was opened last is closed first");
        } else if !name.starts_with('!') {
            tags.push(tag.to_owned());
            if !VOID.contains(&name) {
                open.push(name.to_owned());
            }
        }
        // Text of a style or script is not markup.
        let text = match name {
            "style" | "script" => &after[after.find(&format!("</{name}")).expect("it ends")..],
            _ => after,
        };
        match text.split_once('<') {
            Some((_, next)) => rest = next,
            None => break,
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
    tags
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

#[test]
fn a_page_comes_in_the_language_that_is_wanted_and_says_so() {
    let server = Server::of(Scene::quiet());
    for (wish, language, headline) in [
        ("kk-KZ,kk;q=0.9,ru;q=0.8", "kk", "Дайын. Араласу қажет емес."),
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru", "Готов. Вмешательство не требуется."),
        ("en-GB", "en", "Ready. Nobody needs to act."),
        ("fr", "en", "Ready. Nobody needs to act."),
    ] {
        let page = server.page(wish);
        assert_eq!((page.status, page.header("content-language")), (200, Some(language)), "{wish}");
        assert_eq!(page.header("vary"), Some("Accept-Language"));
        assert!(
            page.body.contains(&format!("<html lang=\"{language}\">")) && page.body.contains(headline),
            "{wish}"
        );
    }
    let two_lines = server.get("Accept-Language: en;q=0.1\r\nAccept-Language: kk\r\n");
    assert_eq!(two_lines.header("content-language"), Some("kk"));
}

#[test]
fn a_browser_is_told_to_trust_nothing_else() {
    let page = Server::of(Scene::quiet()).page("en");
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(page.header(name), Some(value), "{name}");
    }
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{policy}");
    for outside in ["http://", "https://", "//", " style=\"", " onload", "javascript:"] {
        let tags = tags(&page.body);
        assert!(!tags.iter().any(|tag| tag.contains(outside)), "{outside}");
    }
}

#[test]
fn every_state_is_drawn_whole_and_small_in_every_language() {
    for (name, scene) in Scene::all() {
        let server = Server::of(scene);
        for language in LANGUAGES {
            let page = server.page(language).body;
            assert!(page.len() < PAGE_BYTES_MAX, "{name} in {language} has {} bytes", page.len());
            let tags = tags(&page);
            let of = |name: &str| {
                tags.iter().filter(|tag| tag.split(' ').next() == Some(name)).collect::<Vec<_>>()
            };
            for landmark in ["header", "nav", "main", "footer", "h1"] {
                assert_eq!(of(landmark).len(), 1, "{landmark}");
            }
            let ids: Vec<_> = tags.iter().filter_map(|tag| attribute(tag, "id")).collect();
            assert_eq!(
                ids.iter().collect::<BTreeSet<_>>().len(),
                ids.len(),
                "an id names one thing: {ids:?}"
            );
            for tag in &tags {
                let labelled = attribute(tag, "aria-labelledby").is_none_or(|id| ids.contains(&id));
                assert!(labelled, "<{tag}> is named by what does not exist");
            }
            assert_eq!(of("table").len(), of("caption").len(), "a table says what it is of");
            assert!(of("th").iter().all(|tag| attribute(tag, "scope").is_some()), "a heading says of what");
            assert!(of("svg").iter().all(|tag| attribute(tag, "role") == Some("img")));
            assert_eq!((of("svg").len(), of("desc").len()), (of("path").len(), of("path").len()));
        }
    }
}

#[test]
fn who_does_not_see_a_plot_is_told_its_numbers() {
    let page = Server::of(Scene::busy()).page("en").body;
    let told: Vec<_> = page.split("<desc>").skip(1).filter_map(|rest| rest.split("</desc>").next()).collect();
    assert!(told.len() > 40, "{}", told.len());
    for desc in told {
        let numbers = desc.starts_with("now: ") && desc.contains("; most: ") && desc.contains("; in all: ");
        assert!(numbers, "{desc}");
    }
    assert!(page.contains("Шымкент") && page.contains("KZ-79"));
}

#[test]
fn a_worker_that_is_not_ready_says_why_and_what_to_do() {
    let page = Server::of(Scene::failing()).page("ru").body;
    for text in [
        "Не готов: этот обработчик ничего не выпускает.",
        "Список в Redis: не готово",
        "Redis: no answer in time",
        "Проверьте, что Redis работает",
        "<code>suppressd doctor</code>",
        "Почтовый ящик: не готово",
        "Есть задания, которые никто не берёт",
        "<code>suppressd dead list</code>",
        "Последние известные данные",
        "возможно, это просьба человека",
        "<code>no_identifier</code>",
    ] {
        assert!(shows(&page, text), "{text}");
    }
    assert_eq!(page.matches("mail.lulla.kz").count(), 1, "one cause is told once");
}

#[test]
fn what_is_wrong_leads_into_the_runbook_which_the_worker_has_itself() {
    let server = Server::of(Scene::failing());
    let page = server.page("en").body;
    for entry in
        ["SuppressdNotReady", "SuppressdMailboxUnread", "SuppressdUnroutable", "SuppressdDeadLetters"]
    {
        let link = format!("<a href=\"runbook#:~:text=%23%23%23%20{entry}\">");
        assert_eq!(page.matches(&link).count(), 1, "{entry}");
    }
    let runbook = crate::http::ask(server.address, "GET", "/runbook", "", "");
    assert_eq!((runbook.status, runbook.header("content-type")), (200, Some("text/plain; charset=utf-8")));
    let written = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/RUNBOOK.md");
    assert_eq!(runbook.body, std::fs::read_to_string(written).unwrap());
}

#[test]
fn overdue_requests_are_seen_at_once() {
    let page = Server::of(Scene::overdue()).page("en").body;
    for text in [
        "Ready, but requests are overdue.",
        "Requests are overdue",
        "<code>suppressd requests --status overdue</code>",
        "overdue by 3 h 20 min",
        "2026-11-23 07:21",
        "7 in review, 0 in this worker’s hands",
        "<code>email</code> 6",
    ] {
        assert!(shows(&page, text), "{text}");
    }
    assert!(page.find("Requests are overdue").unwrap() < page.find("Jobs and recipients").unwrap());
}

#[test]
fn a_worker_that_has_just_begun_claims_nothing() {
    let mut scene = Scene::idle(0);
    scene.requests = None;
    for dependency in Dependency::ALL {
        scene.health.set(*dependency, State::NotReady("the worker is starting".into()));
    }
    let page = Server::of(scene).page("en").body;
    for text in
        ["not known yet", "not loaded yet", "no opt-outs in the last hour", "None since this worker started"]
    {
        assert!(shows(&page, text), "{text}");
    }
}

#[test]
fn what_comes_from_settings_and_servers_is_text_and_no_markup() {
    let evil = "<script>alert(1)</script>\"'&<b";
    let region = Region { code: "KZ-<i>".into(), name: evil.into(), aliases: vec![] };
    let mut scene = Scene::of(Catalogue::new(vec![region], vec![]), 5);
    scene.host = evil.into();
    scene.health.set(Dependency::Ledger, State::NotReady(format!("{evil} `{evil}`")));
    scene.health.warn(Warning::Clock, Some(evil.into()));
    let requests = scene.requests.as_mut().unwrap();
    requests.sources.insert(evil.into(), 1);
    let page = Server::of(scene).page("en").body;
    assert!(
        !page.contains("<script>alert") && !page.contains("<b") || page.matches("<b").count() == 1,
        "{page}"
    );
    assert!(page.matches("&lt;script&gt;alert(1)&lt;/script&gt;&quot;'&amp;&lt;b").count() >= 5, "{page}");
    tags(&page);
}

#[test]
fn a_page_that_shall_not_renew_itself_does_not() {
    let server = Server::of(Scene::quiet());
    let renewed = server.page("en").body;
    assert!(renewed.contains("<noscript><meta http-equiv=\"refresh\"") && renewed.contains("<script"));
    let still = crate::http::ask(server.address, "GET", "/?refresh=off", "", "").body;
    assert!(!still.contains("http-equiv=\"refresh\"") && !still.contains("<script"), "{still}");
}
