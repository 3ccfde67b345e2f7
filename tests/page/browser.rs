//! The page in a real browser: nothing complains, nothing runs out of a narrow window, everything can be read.

use serde_json::json;
use suppressd::service::health::{Dependency, State};

use crate::driver::{Browser, Look};
use crate::http::Server;
use crate::scenes::Scene;

const LOOKS: [Look; 4] = [
    Look { width: 1280, dark: false },
    Look { width: 1280, dark: true },
    Look { width: 320, dark: false },
    Look { width: 320, dark: true },
];

/// Every text whose contrast is below what WCAG AA asks for.
const FAINT: &str = include_str!("contrast.js");

/// What reaches out of the window.
const WIDE: &str = "
    const width = document.documentElement.clientWidth;
    const out = [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > width + 1);
    return [document.documentElement.scrollWidth - width, out.slice(0, 5).map((one) => one.outerHTML.slice(0, 200))];";

#[test]
fn every_state_can_be_read_in_every_window() {
    let Some(browser) = Browser::start() else { return };
    for (name, scene) in Scene::all() {
        let server = Server::of(scene);
        for look in LOOKS {
            for language in ["kk", "ru", "en"] {
                browser.open(server.address, &format!("/?lang={language}"), look);
                let context = format!("{name} in {language}, {look:?}");
                assert_eq!(browser.complaints(), [""; 0], "{context}");
                assert_eq!(browser.run(WIDE), json!([0, []]), "{context}: it reaches out of the window");
                assert_eq!(browser.run(FAINT), json!([]), "{context}: too faint");
                let scheme = if look.dark { "dark" } else { "light" };
                browser.picture(&format!("{name}-{scheme}-{}-{language}", look.width));
            }
        }
    }
}

#[test]
fn without_scripts_and_eyes_the_page_is_whole() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::of(Scene::busy());
    browser.devtools("Emulation.setScriptExecutionDisabled", &json!({"value": true}));
    browser.open(server.address, "/?lang=en", LOOKS[0]);
    let told = browser.read_out();
    let names =
        |role: &str| told.iter().filter(|one| one.0 == role).map(|one| one.1.as_str()).collect::<Vec<_>>();
    for landmark in ["banner", "navigation", "main", "contentinfo", "status"] {
        assert_eq!(names(landmark).len(), 1, "{landmark}: {told:?}");
    }
    let headings = names("heading");
    assert!(headings.contains(&"Ready. Nobody needs to act."), "the sign is not read out: {headings:?}");
    for table in [
        "By channel, per minute at present",
        "By region and channel, per minute at present: recipients (jobs)",
    ] {
        assert!(names("table").contains(&table), "{table}: {:?}", names("table"));
    }
    assert!(names("columnheader").contains(&"SMS") && names("rowheader").contains(&"Шымкент KZ-79"));
    let plots: Vec<_> = [names("image"), names("img")].concat();
    assert!(plots.len() > 40 && plots.iter().all(|name| !name.is_empty()), "{plots:?}");
    browser.picture("busy-without-scripts");
}

/// Ends with the headline once it has changed.
const NEXT_HEADLINE: &str = "
    const done = arguments[arguments.length - 1];
    const headline = document.getElementById('headline');
    new MutationObserver(() => done(headline.textContent)).observe(headline, {childList: true});
    document.dispatchEvent(new Event('visibilitychange'));";

/// Ends once it is said that nobody answers.
const NOBODY_ANSWERS: &str = "
    const done = arguments[arguments.length - 1];
    const gone = document.getElementById('gone');
    new MutationObserver(() => done(gone.checkVisibility())).observe(gone, {attributes: true});
    document.dispatchEvent(new Event('visibilitychange'));";

/// Ends once the page is not at its beginning.
const SCROLLED: &str = "
    const done = arguments[arguments.length - 1];
    const look = () => window.scrollY > 0 ? done(true) : requestAnimationFrame(look);
    look();";

#[test]
fn figures_are_renewed_in_place_and_a_worker_that_is_gone_is_not_shown_as_ready() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::of(Scene::quiet());
    browser.open(server.address, "/?lang=en", LOOKS[0]);
    browser.run("document.querySelector('footer a').focus();");
    server.board.health().set(Dependency::Redis, State::NotReady("no answer in time".into()));
    assert_eq!(browser.wait(NEXT_HEADLINE), json!("✕ Not ready: this worker lets nothing out."));
    let kept = "return [document.activeElement.textContent, document.getElementById('standing').className,
        document.querySelectorAll('.acts li').length, document.title];";
    let title = "Not ready: this worker lets nothing out. suppressd: status";
    assert_eq!(browser.run(kept), json!(["Stop renewing", "standing bad", 1, title]));
    assert_eq!(browser.complaints(), [""; 0]);
    drop(server);
    assert_eq!(browser.wait(NOBODY_ANSWERS), json!(true));
    browser.picture("gone");
}

#[test]
fn a_link_into_the_runbook_goes_to_its_entry() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::of(Scene::overdue());
    browser.open(server.address, "/?lang=en", LOOKS[0]);
    let link = browser.run("return document.querySelector('.acts a').getAttribute('href');");
    browser.open(server.address, &format!("/{}", link.as_str().expect("there is one")), LOOKS[0]);
    // It is scrolled to when the text is drawn.
    assert_eq!(browser.wait(SCROLLED), json!(true));
    browser.picture("runbook");
}

#[test]
fn what_cannot_be_read_is_found() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::of(Scene::quiet());
    browser.open(server.address, "/?lang=en", LOOKS[2]);
    browser.run("document.querySelector('h1').style.color = '#aaa'; document.querySelector('h1').style.minWidth = '400px';");
    assert_ne!(browser.run(FAINT), json!([]));
    assert_ne!(browser.run(WIDE), json!([0, []]));
    browser.run("const script = document.createElement('script'); script.src = 'http://127.0.0.1:9/'; document.body.append(script);");
    assert_eq!(browser.complaints().len(), 1, "the policy refuses it, and the browser says so");
}
