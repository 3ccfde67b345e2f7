//! The files in `config/` are the reference of the settings, so they are held to the code.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::section::Notes;
use super::{Settings, load, take_with};
use crate::domain::catalogue::Catalogue;

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)
}

/// A secret file, and the variables that point every setting of the shipped files to it.
fn secrets(dir: &TempDir) -> Vec<(String, String)> {
    let path = dir.path().join("secret");
    std::fs::write(&path, KEY).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let path = path.to_str().unwrap();
    vec![("SUPPRESSD__HASHING__KEY_FILES".to_owned(), path.to_owned())]
}

fn settings() -> Settings {
    let dir = TempDir::new().unwrap();
    let files = [shipped("suppressd.toml"), shipped("kazakhstan.toml")];
    load(&files, secrets(&dir).into_iter()).unwrap()
}

fn kazakhstan() -> Catalogue {
    settings().catalogue
}

#[test]
fn every_key_is_documented_and_every_documented_key_exists() {
    let dir = TempDir::new().unwrap();
    let text = std::fs::read_to_string(shipped("suppressd.toml")).unwrap();
    // A `#` without a blank after it is a key that is left out by default.
    let all: Vec<_> = text
        .lines()
        .map(|line| {
            line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c != ' ')).unwrap_or(line)
        })
        .collect();
    let everything = dir.path().join("everything.toml");
    std::fs::write(&everything, all.join("\n")).unwrap();
    let mut variables = secrets(&dir);
    let path = variables[0].1.clone();
    variables.push(("SUPPRESSD__AMQP__PASSWORD_FILE".to_owned(), path.clone()));
    for file in [
        "REDIS__PASSWORD_FILE",
        "REDIS__SENTINEL_PASSWORD_FILE",
        "MAILBOX__PASSWORD_FILE",
        "MAILBOX__CA_FILE",
        "MAILBOX__LEXICON_FILE",
        "AMQP__CA_FILE",
        "AMQP__CERT_FILE",
        "AMQP__KEY_FILE",
        "REDIS__CA_FILE",
        "REDIS__CERT_FILE",
        "REDIS__KEY_FILE",
        "TRACING__CA_FILE",
        "TRACING__CERT_FILE",
        "TRACING__KEY_FILE",
    ] {
        variables.push((format!("SUPPRESSD__{file}"), path.clone()));
    }
    for (key, url) in [
        ("AMQP__URL", "amqps://guest@mq"),
        ("REDIS__URL", "rediss-sentinel://redis#m"),
        ("TRACING__OTLP_ENDPOINT", "https://collector:4318"),
    ] {
        variables.push((format!("SUPPRESSD__{key}"), url.to_owned()));
    }
    // Whoever publishes the mailbox's events, in the URL that is shown.
    variables.push(("SUPPRESSD__SOURCES__EMAIL__USERS".to_owned(), "guest".to_owned()));

    let mut notes = Notes::default();
    assert!(take_with(&[everything], variables.into_iter(), &mut notes, Settings::take).is_some());
    assert_eq!(notes.mistakes, [], "config/suppressd.toml documents a key that does not exist");
    let documented = keys(&all);
    assert_eq!(notes.asked, documented, "config/suppressd.toml does not document what the code asks for");
}

/// The paths of all `key = value` lines.
fn keys(lines: &[&str]) -> BTreeSet<String> {
    let mut section = "";
    let mut keys = BTreeSet::new();
    for line in lines.iter().filter(|line| !line.starts_with('#')) {
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']');
        } else if let Some((key, _)) = line.split_once(" = ") {
            keys.insert(format!("{}.{key}", section.replace('"', "")));
        }
    }
    keys
}

#[test]
fn the_values_shown_are_the_defaults() {
    let dir = TempDir::new().unwrap();
    let least = dir.path().join("least.toml");
    std::fs::write(&least, "policy.brands = ['x']\nsources.email.may = ['hold']\nregions.X.name = 'x'")
        .unwrap();
    let defaults = load(&[least], secrets(&dir).into_iter()).unwrap();
    let shipped = settings();
    assert_eq!(shipped.amqp, defaults.amqp);
    assert_eq!(shipped.redis, defaults.redis);
    assert_eq!(shipped.admin, defaults.admin);
    assert_eq!(shipped.identifiers, defaults.identifiers);
    assert_eq!(shipped.policy, defaults.policy);
    assert_eq!(shipped.limits, defaults.limits);
    assert_eq!(shipped.tracing, defaults.tracing);
    assert_eq!(shipped.deadlines.soon, defaults.deadlines.soon);
    assert_eq!(shipped.shutdown, defaults.shutdown);
    assert_eq!(shipped.log, defaults.log);
}

#[test]
fn kazakhstan_has_its_twenty_regions_under_their_kazakh_and_russian_names() {
    let rows = [
        ("KZ-10", &["Абай облысы", "Абайская"][..]),
        ("KZ-11", &["Ақмола", "Акмолинская"]),
        ("KZ-15", &["Ақтөбе", "Актюбинская"]),
        ("KZ-19", &["Алматы облысы", "Алматинская", "АЛМАТИНСКАЯ ОБЛАСТЬ", "Алматы обл."]),
        ("KZ-23", &["Атырау", "Атырауская"]),
        ("KZ-27", &["Батыс Қазақстан", "Западно-Казахстанская"]),
        ("KZ-31", &["Жамбыл", "Жамбылская"]),
        ("KZ-33", &["Жетісу", "Жетысуская"]),
        ("KZ-35", &["Қарағанды", "Карагандинская"]),
        ("KZ-39", &["Қостанай", "Костанайская"]),
        ("KZ-43", &["Қызылорда", "Кызылординская"]),
        ("KZ-47", &["Маңғыстау", "Мангистауская"]),
        ("KZ-55", &["Павлодар", "Павлодарская"]),
        ("KZ-59", &["Солтүстік Қазақстан", "Северо-Казахстанская"]),
        ("KZ-61", &["Түркістан", "Туркестанская", "Туркестанская область"]),
        ("KZ-62", &["Ұлытау", "Улытауская", "ҰЛЫТАУ ОБЛЫСЫ"]),
        ("KZ-63", &["Шығыс Қазақстан", "Восточно-Казахстанская"]),
        ("KZ-71", &["Астана", "г. Астана", "Astana"]),
        ("KZ-75", &["Алматы қаласы", "Алматы", "алматы", "г. Алматы", "қ. Алматы", "Almaty"]),
        ("KZ-79", &["Шымкент", "Шымкент қаласы", "Shymkent"]),
    ];
    let kazakhstan = kazakhstan();
    let codes: Vec<&str> = kazakhstan.regions().iter().map(|region| &*region.code).collect();
    assert_eq!(codes, rows.map(|(code, _)| code));
    for (code, names) in rows {
        for name in names.iter().chain([&code]) {
            assert_eq!(kazakhstan.region_of_job(name).map(|name| &**name), Some(code), "{name}");
        }
    }
}

#[test]
fn old_letter_codes_stand_for_every_region_that_came_out_of_them() {
    let kazakhstan = kazakhstan();
    for (letters, codes) in [
        ("AKM", &["KZ-11"][..]),
        ("AKT", &["KZ-15"]),
        ("ALA", &["KZ-75"]),
        ("AST", &["KZ-71"]),
        ("ATY", &["KZ-23"]),
        ("KUS", &["KZ-39"]),
        ("KZY", &["KZ-43"]),
        ("MAN", &["KZ-47"]),
        ("PAV", &["KZ-55"]),
        ("SEV", &["KZ-59"]),
        ("SHY", &["KZ-79"]),
        ("ZAP", &["KZ-27"]),
        ("ZHA", &["KZ-31"]),
        ("VOS", &["KZ-10", "KZ-63"]),
        ("ALM", &["KZ-19", "KZ-33"]),
        ("KAR", &["KZ-35", "KZ-62"]),
        ("YUZ", &["KZ-61", "KZ-79"]),
    ] {
        for text in [letters.to_owned(), letters.to_lowercase(), format!("KZ-{letters}")] {
            let scope = kazakhstan.regions_of_scope(&text);
            assert_eq!(scope.iter().map(|name| &**name).collect::<Vec<_>>(), codes, "{text}");
            assert_eq!(kazakhstan.region_of_job(&text).is_some(), codes.len() == 1, "{text}");
        }
    }
}

#[test]
fn only_regions_that_were_split_share_a_name() {
    let kazakhstan = kazakhstan();
    for region in kazakhstan.regions() {
        for alias in &region.aliases {
            let split = ["VOS", "ALM", "KAR", "YUZ", "Оңтүстік", "ОҚО", "Южно", "ЮКО", "South"];
            let expected = split.iter().any(|word| alias.contains(word));
            assert_eq!(kazakhstan.regions_of_scope(alias).len() > 1, expected, "{alias}");
        }
    }
}

#[test]
fn the_brands_and_sources_of_the_contract_are_there() {
    let settings = settings();
    let brands: Vec<&str> = settings.catalogue.brands().iter().map(|brand| &**brand).collect();
    assert_eq!(brands, ["lulla.kz", "lunafresh.kz", "bilal.kz"]);
    let may = |source: &str| {
        settings.sources[source].may.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(may("call_center"), "opt_out opt_in complaint hold release identifier_changed dismiss");
    assert_eq!(may("email"), "opt_out complaint bounce hold");
    assert_eq!(
        may("operator"),
        "opt_out opt_in complaint bounce hold release identifier_changed dismiss apply"
    );
    assert_eq!(may("import"), "opt_out complaint bounce hold");
}
