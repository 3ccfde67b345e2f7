//! What an operator sees who got something wrong, and what arrives when nothing is.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use super::{LogFormat, Mistakes, Settings, SourceClock, load};
use crate::domain::words::EventKind;

/// In every wrong value of these tests; a mistake never repeats a value.
const CANARY: &str = "hunter2";
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
const OTHER_KEY: &str = "0f0e0d0c0b0a0908070605040302010000112233445566778899aabbccddeeff\n";

/// A directory with configuration files and keys in it.
struct Bench {
    dir: TempDir,
    files: Vec<PathBuf>,
    variables: Vec<(String, String)>,
}

impl Bench {
    /// A configuration without a mistake: `a.toml`, and a key.
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let mut bench = Self { dir, files: Vec::new(), variables: Vec::new() };
        let key = bench.secret_file("hashing.key", KEY, 0o640);
        bench.file(
            "a.toml",
            &format!(
                "policy.brands = ['lulla.kz']\nhashing.key_files = [{key:?}]\n\
                 [sources.call_center]\nmay = ['opt_out']\n[regions.KZ-79]\nname = 'Шымкент'\n"
            ),
        );
        bench
    }

    fn file(&mut self, name: &str, text: &str) -> &mut Self {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        self.files.push(path);
        self
    }

    fn secret_file(&mut self, name: &str, text: &str, mode: u32) -> String {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn variable(&mut self, name: &str, text: &str) -> &mut Self {
        self.variables.push((name.to_owned(), text.to_owned()));
        self
    }

    fn load(&self) -> Result<Settings, Mistakes> {
        load(&self.files, self.variables.clone().into_iter())
    }

    /// The mistakes as printed, with the directory's name taken out.
    fn mistakes(&self) -> Vec<String> {
        let printed = self.load().unwrap_err().to_string();
        assert!(!printed.contains(CANARY), "{printed}");
        let dir = format!("{}/", self.dir.path().display());
        printed.replace(&dir, "").lines().map(str::to_owned).collect()
    }
}

/// That a second file with this text makes these mistakes, each given by how its line begins.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let lines = Bench::new().file("b.toml", text).mistakes();
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, start) in lines.iter().zip(expected) {
        assert!(line.starts_with(start), "{line:?} should begin with {start:?}");
    }
}

#[test]
fn what_is_left_out_has_its_default() {
    let settings = Bench::new().load().unwrap();
    assert_eq!(settings.amqp.url.reveal(), "amqp://guest:guest@127.0.0.1:5672/%2f");
    assert_eq!(settings.redis.wait_replicas, None);
    assert_eq!(settings.limits.job_bytes_max, 16 * 1024 * 1024);
    assert_eq!(settings.sources["call_center"].clock, SourceClock::Received);
    assert_eq!(settings.hashing.key_ring.keys().len(), 1);
}

#[test]
fn later_files_win_and_variables_win_over_files() {
    let mut bench = Bench::new();
    bench.file("b.toml", "[amqp]\nprefix = 'b'\nheartbeat_s = 20\n[policy]\nbrands = ['b1', 'b2']");
    bench.file("c.toml", "amqp.prefix = 'c'\nsources.email = { may = ['bounce'], clock = 'occurred_at' }");
    bench.variable("SUPPRESSD__AMQP__HEARTBEAT_S", " 30 ").variable("SUPPRESSD__LOG__FORMAT", "text");
    let settings = bench.load().unwrap();
    assert_eq!(settings.amqp.prefix, "c");
    assert_eq!(settings.amqp.heartbeat, Duration::from_secs(30));
    assert_eq!(settings.log.format, LogFormat::Text);
    assert_eq!(settings.catalogue.brands().len(), 2);
    assert_eq!(settings.sources.keys().collect::<Vec<_>>(), ["call_center", "email"]);
}

#[test]
fn lists_in_variables_are_separated_by_commas_and_texts_stay_as_they_are() {
    let mut bench = Bench::new();
    bench.variable("SUPPRESSD__POLICY__BRANDS", "00123, +77011234567,1e3,TRUE,");
    bench.variable("SUPPRESSD__POLICY__EXEMPT_PUBLISHERS", "");
    bench.variable("SUPPRESSD__SOURCES__CALL_CENTER__MAY", "dismiss,opt_in");
    bench.variable("SUPPRESSD__SOURCES__CALL_CENTER__USERS", "00123");
    bench.variable("SUPPRESSD__REDIS__PREFIX", "00123");
    let settings = bench.load().unwrap();
    let brands: Vec<&str> = settings.catalogue.brands().iter().map(|brand| &**brand).collect();
    assert_eq!(brands, ["00123", "+77011234567", "1e3", "TRUE"]);
    assert!(settings.policy.exempt_publishers.is_empty());
    let call_center = &settings.sources["call_center"];
    assert_eq!(call_center.may.iter().copied().collect::<Vec<_>>(), [EventKind::OptIn, EventKind::Dismiss]);
    assert_eq!(call_center.users.as_deref(), Some(&["00123".to_owned()][..]));
    assert_eq!(settings.redis.prefix, "00123");
}

#[test]
fn a_variable_finds_a_region_and_a_source_of_the_files_and_may_add_a_source() {
    let mut bench = Bench::new();
    bench.variable("SUPPRESSD__REGIONS__KZ_79__ALIASES", "YUZ,Shymkent");
    bench.variable("SUPPRESSD__SOURCES__WEB_FORM__MAY", "opt_out");
    let settings = bench.load().unwrap();
    assert_eq!(settings.catalogue.region_of_job("yuz").map(|code| &**code), Some("KZ-79"));
    assert!(settings.sources.contains_key("web_form"));
}

#[test]
fn passwords_come_from_files_and_nothing_prints_them() {
    let mut bench = Bench::new();
    let password = bench.secret_file("password", "hunter2+77\n", 0o600);
    bench.variable("SUPPRESSD__AMQP__PASSWORD_FILE", &password);
    bench.variable("SUPPRESSD__REDIS__URL", "rediss://worker:hunter2@redis.internal:6380/2");
    let settings = bench.load().unwrap();
    assert_eq!(settings.amqp.password.as_ref().unwrap().reveal(), "hunter2+77");
    let printed = format!("{settings:?}");
    assert!(!printed.contains(CANARY) && !printed.contains("redis.internal"), "{printed}");
}

#[test]
fn every_mistake_is_reported_in_one_go_with_its_origin_and_key() {
    let mut bench = Bench::new();
    bench.file(
        "b.toml",
        "typo = 1\n[amqp]\nurl = 'http://u:hunter2@h'\nheartbeat_s = 0\nhunter = 'hunter2'\n\
         [sources.import]\nmay = ['opt_out', 'opt_in', 'hunter2']\n[calender]\nzone = 'hunter2'\n",
    );
    bench.variable("SUPPRESSD__REDIS__URL", "hunter2");
    bench.variable("SUPPRESSD__LIMITS__FUTURE_MAX_S", "hunter2");
    bench.variable("SUPPRESSD__SOURCES__CALL_CENTER__MAY", "opt_out,hunter2");
    bench.variable("SUPPRESSD__AMPQ__PREFIX", "hunter2");
    let lines = bench.mistakes();
    for start in [
        "b.toml: amqp.url: must be a URL that begins with amqp:// or amqps://",
        "b.toml: amqp.heartbeat_s: must be a whole number from 1 to 600",
        "b.toml: amqp.hunter: is not a key that suppressd knows",
        "SUPPRESSD__REDIS__URL: redis.url: is not a URL",
        "SUPPRESSD__SOURCES__CALL_CENTER__MAY: sources.call_center.may[1]: must be one of \"opt_out\"",
        "b.toml: sources.import.may[2]: must be one of",
        "SUPPRESSD__LIMITS__FUTURE_MAX_S: limits.future_max_s: must be a whole number from 0 to 86400",
        "SUPPRESSD__AMPQ__PREFIX: ampq: is not a key",
        "b.toml: calender: is not a key",
        "b.toml: typo: is not a key",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(start)), "{start:?} is not in {lines:#?}");
    }
    assert_eq!(lines.len(), 10, "{lines:#?}");
}

#[test]
fn a_value_of_the_wrong_shape_is_refused() {
    for (text, mistake) in [
        ("amqp = 'hunter2'", "b.toml: amqp: is a section, not a value"),
        ("hashing = 5", "b.toml: hashing: is a section"),
        ("sources = 5", "b.toml: sources: is a section"),
        ("amqp.prefix = 5", "b.toml: amqp.prefix: must be a text"),
        ("amqp.prefix = ''", "b.toml: amqp.prefix: is empty"),
        ("amqp.prefix = 'hunter2 x'", "b.toml: amqp.prefix: must consist of"),
        ("amqp.url = 'amqp:hunter2'", "b.toml: amqp.url: is a URL without a host"),
        ("amqp.url = 'amqp://h:hunter2'", "b.toml: amqp.url: is not a URL: invalid port number"),
        ("redis.prefix = '{hunter2}'", "b.toml: redis.prefix: must consist of"),
        ("amqp.heartbeat_s = '10'", "b.toml: amqp.heartbeat_s: must be a whole number"),
        ("amqp.heartbeat_s = 1.5", "b.toml: amqp.heartbeat_s: must be a whole number"),
        ("amqp.heartbeat_s = -1", "b.toml: amqp.heartbeat_s: must be a whole number"),
        ("amqp.jobs_prefetch = 70000", "b.toml: amqp.jobs_prefetch: must be a whole number from 1 to 1000"),
        ("limits.body_budget_bytes = 1048576", "b.toml: limits.body_budget_bytes: must be at least"),
        ("policy.brands = 'hunter2'", "b.toml: policy.brands: must be a list"),
        ("policy.brands = []", "b.toml: policy.brands: must have 1 to 1000 items"),
        ("policy.brands = ['hunter2', 'HUNTER2 ']", "b.toml: policy.brands[1]: is named before"),
        ("identifiers.default_country = 'kz'", "b.toml: identifiers.default_country: must be a country"),
        ("admin.listen = 'localhost:1'", "b.toml: admin.listen: must be an IP address and a port"),
        ("log.level = 'hunter2'", "b.toml: log.level: must be one of \"error\""),
        ("log.format = 1", "b.toml: log.format: must be one of \"json\", \"text\""),
        ("sources.call_center.users = []", "b.toml: sources.call_center.users: must have 1 to 100 items"),
        ("sources.'A.b'.may = ['hold']", "b.toml: sources.\"A.b\": must have a name"),
        ("sources.email = {}", "configuration: sources.email.may: is missing"),
        ("regions.'KZ 1'.name = 'x'", "b.toml: regions.\"KZ 1\": must have a code"),
        ("regions.kz-79.name = 'x'", "b.toml: regions.kz-79: differs from the region KZ-79 only"),
        ("regions.KZ-80.name = 'ШЫМКЕНТ'", "b.toml: regions.KZ-80.name: is the name of the region KZ-79"),
        (
            "regions.KZ-80 = { name = 'x', aliases = ['y', 'kz-79'] }",
            "b.toml: regions.KZ-80.aliases[1]: is the code of the region KZ-79",
        ),
        ("\"a\\nb\" = 'hunter2'", "b.toml: \"a\\nb\": is not a key"),
    ] {
        check(text, &[mistake]);
    }
}

#[test]
fn an_import_may_never_lift() {
    let text = "sources.import.may = ['opt_out', 'opt_in', 'release', 'identifier_changed', 'dismiss']";
    let expected: Vec<_> =
        (1..=4).map(|index| format!("b.toml: sources.import.may[{index}]: an import may only")).collect();
    check(text, &expected.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn without_any_file_everything_required_is_missing() {
    let lines = load(&[], std::iter::empty()).unwrap_err().to_string();
    let keys: Vec<_> = lines.lines().map(|line| line.split(": ").nth(1).unwrap()).collect();
    assert_eq!(keys, ["hashing.key_files", "policy.brands", "sources", "regions"]);
}

#[test]
fn a_file_that_cannot_be_read_is_a_mistake_and_hides_no_other() {
    let mut bench = Bench::new();
    bench.files[0] = bench.dir.path().join("absent.toml");
    bench.file("b.toml", "[amqp]\nurl = 'amqp://u:hunter2@h'\npassword = \"hunter2\n");
    bench.file("c.toml", "amqp.jobs_prefetch = 999999999999999999999");
    bench.file("d.toml", "log.level = 'loud'");
    let lines = bench.mistakes();
    assert!(lines[0].starts_with("absent.toml: cannot be read: No such file"), "{lines:#?}");
    assert!(lines[1].starts_with("b.toml: is not valid TOML at line 3, column "), "{lines:#?}");
    assert!(lines[2].starts_with("c.toml: is not valid TOML: a number is out of range"), "{lines:#?}");
    assert!(lines[3].starts_with("d.toml: log.level: "), "{lines:#?}");
    // What is missing may be in the files that could not be read.
    assert_eq!(lines.len(), 4, "{lines:#?}");
}

#[test]
fn a_syntax_error_never_shows_the_line_that_it_is_in() {
    for text in [
        "url = hunter2",
        "url = 'hunter2",
        "url = \"hunter2\\q\"",
        "hunter2",
        "url = 'a' hunter2",
        "[hunter2",
        "url = 1hunter2",
        "url = 'hunter2'\nurl = 'hunter2'",
        "url = [hunter2",
        "url = {a = hunter2",
    ] {
        let lines = Bench::new().file("b.toml", text).mistakes();
        assert!(lines[0].starts_with("b.toml: is not valid TOML at line "), "{lines:?}");
        assert_eq!(lines.len(), 1, "{lines:?}");
    }
}

#[test]
fn key_files_are_held_to_their_form() {
    for (text, problem) in [
        ("hunter2\n", "a key file is 64 hexadecimal digits"),
        (&"hunter2".repeat(1000), "the file is larger than"),
    ] {
        let mut bench = Bench::new();
        let path = bench.secret_file("bad.key", text, 0o600);
        bench.variable("SUPPRESSD__HASHING__KEY_FILES", &path);
        let line = format!("SUPPRESSD__HASHING__KEY_FILES: hashing.key_files[0]: bad.key: {problem}");
        assert!(bench.mistakes()[0].starts_with(&line), "{:?}", bench.mistakes());
    }
}

#[test]
fn a_key_that_can_be_guessed_or_that_everybody_may_open_is_refused() {
    for (text, mode, problem) in [
        (KEY, 0o644, "every user of this machine may open the file; take that away: chmod o= FILE"),
        (KEY, 0o601, "every user of this machine may open the file"),
        (&"0".repeat(64), 0o600, "nobody drew this key at random; make one with `openssl rand -hex 32`"),
        (&"00ff".repeat(16), 0o600, "nobody drew this key at random"),
        (&KEY[..62], 0o600, "a key file is 64 hexadecimal digits"),
    ] {
        let mut bench = Bench::new();
        let path = bench.secret_file("open.key", text, mode);
        bench.variable("SUPPRESSD__HASHING__KEY_FILES", &path);
        let line = format!("SUPPRESSD__HASHING__KEY_FILES: hashing.key_files[0]: open.key: {problem}");
        assert!(bench.mistakes()[0].starts_with(&line), "{:?}", bench.mistakes());
    }
}

#[test]
fn a_file_of_a_secret_that_everybody_may_open_is_refused() {
    for (section, key, scheme) in [
        ("AMQP", "PASSWORD_FILE", "amqps"),
        ("REDIS", "PASSWORD_FILE", "rediss"),
        ("AMQP", "KEY_FILE", "amqps"),
        ("REDIS", "KEY_FILE", "rediss"),
    ] {
        let mut bench = Bench::new();
        let open = bench.secret_file("open", "hunter2", 0o604);
        bench.variable(&format!("SUPPRESSD__{section}__URL"), &format!("{scheme}://h/"));
        bench.variable(&format!("SUPPRESSD__{section}__{key}"), &open);
        if key == "KEY_FILE" {
            bench.variable(&format!("SUPPRESSD__{section}__CERT_FILE"), &open);
        }
        let lines = bench.mistakes();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("every user of this machine may open the file"), "{lines:?}");
    }
}

#[test]
fn the_files_of_tls_are_for_tls_and_a_certificate_goes_with_its_key() {
    let mut bench = Bench::new();
    let file = bench.secret_file("file.pem", "", 0o600);
    bench.file("b.toml", &format!("redis = {{ca_file = {file:?}, cert_file = {file:?}}}"));
    bench.variable("SUPPRESSD__AMQP__CA_FILE", "/hunter2");
    assert_eq!(
        bench.mistakes(),
        [
            "SUPPRESSD__AMQP__CA_FILE: amqp.ca_file: must name a file that is there",
            "SUPPRESSD__AMQP__CA_FILE: amqp.ca_file: is for amqps:// alone: write that in the url, or remove it",
            "b.toml: redis.ca_file: is for rediss:// alone: write that in the url, or remove it",
            "b.toml: redis.cert_file: is for rediss:// alone: write that in the url, or remove it",
            "b.toml: redis.cert_file: goes with another: set cert_file and key_file, or neither",
        ]
    );
}

#[test]
fn a_server_elsewhere_without_tls_is_warned_of() {
    for (url, warnings) in [
        ("amqp://u:p@127.0.0.1/", 0),
        ("amqp://u:p@[::1]:5673/", 0),
        ("amqp://localhost", 0),
        ("amqps://mq.example.kz", 0),
        ("amqp://mq.example.kz", 1),
        ("amqp://10.0.0.7", 1),
    ] {
        let told = Bench::new().variable("SUPPRESSD__AMQP__URL", url).load().unwrap().warnings;
        assert_eq!(told.len(), warnings, "{url}: {told:?}");
        assert!(told.iter().all(|told| told.starts_with("amqp.url: passwords")), "{told:?}");
    }
    let socket = "redis+unix:///run/redis.sock";
    assert_eq!(Bench::new().variable("SUPPRESSD__REDIS__URL", socket).load().unwrap().warnings, [""; 0]);
}

#[test]
fn what_sentinels_ask_for_goes_with_sentinels() {
    let mut bench = Bench::new();
    let password = bench.secret_file("sentinel.password", "hunter2", 0o600);
    bench.file("b.toml", "redis.sentinel_user = 'hunter2'");
    assert_eq!(
        bench.mistakes(),
        [
            "b.toml: redis.sentinel_user: is for redis-sentinel:// alone: write that in the url, or remove it",
            "b.toml: redis.sentinel_user: goes with sentinel_password_file: set that too",
        ]
    );
    bench.variable("SUPPRESSD__REDIS__SENTINEL_PASSWORD_FILE", &password);
    for (url, warnings) in [
        ("redis-sentinel://127.0.0.1,localhost:1#m", 0),
        ("rediss-sentinel://s1,s2,s3#m", 0),
        ("redis-sentinel://127.0.0.1,s2#m", 1),
    ] {
        bench.variables.retain(|(name, _)| name != "SUPPRESSD__REDIS__URL");
        let settings = bench.variable("SUPPRESSD__REDIS__URL", url).load().unwrap();
        assert_eq!(settings.warnings.len(), warnings, "{url}: {:?}", settings.warnings);
        assert!(settings.redis.sentinels.is_some_and(|sentinels| sentinels.password.is_some()), "{url}");
    }
    bench.variables.retain(|(name, _)| name != "SUPPRESSD__REDIS__URL");
    bench.variable("SUPPRESSD__REDIS__URL", "redis-sentinel://u:hunter2@,h:0/x");
    let lines = bench.mistakes();
    let of_url = lines.iter().filter(|line| line.starts_with("SUPPRESSD__REDIS__URL: redis.url: "));
    assert_eq!((of_url.count(), lines.len()), (4, 4), "{lines:#?}");
}

#[test]
fn several_keys_make_a_ring_in_their_order_and_none_comes_twice() {
    let mut bench = Bench::new();
    let (first, second) =
        (bench.secret_file("1", OTHER_KEY, 0o400), bench.secret_file("2", &KEY.to_uppercase(), 0o440));
    bench.variable("SUPPRESSD__HASHING__KEY_FILES", &format!("{first},{second}"));
    assert_eq!(bench.load().unwrap().hashing.key_ring.keys().len(), 2);
    bench.file("b.toml", &format!("hashing.key_files = [{second:?}, {first:?}, {second:?}]"));
    bench.variables.clear();
    let expected = "b.toml: hashing.key_files[2]: holds the same key as key_files[0]; name each key once";
    assert_eq!(bench.mistakes(), [expected]);
}

#[test]
fn a_secret_in_place_of_a_path_is_not_repeated() {
    let key = KEY.trim_end();
    let mut bench = Bench::new();
    bench.file(
        "b.toml",
        &format!("hashing.key_files = ['{key}', 'hunter2']\namqp.password_file = '/hunter2'"),
    );
    let lines = bench.mistakes();
    assert!(lines[0].starts_with("b.toml: amqp.password_file: the file cannot be found"), "{lines:?}");
    assert!(lines[1].starts_with("b.toml: hashing.key_files[0]: is a key; name the file"), "{lines:?}");
    assert!(lines[2].starts_with("b.toml: hashing.key_files[1]: the file cannot be found"), "{lines:?}");
    assert!(!lines.concat().contains(key));
}

#[test]
fn variables_of_ours_that_cannot_be_meant_are_refused_and_those_of_others_ignored() {
    let mut bench = Bench::new();
    for name in ["SUPPRESSD_PORT", "SUPPRESSD", "PATH", "XSUPPRESSD__AMQP__URL", "Ы"] {
        bench.variable(name, "hunter2");
    }
    assert!(bench.load().is_ok());
    for (name, problem) in [
        ("suppressd__amqp__prefix", "is not written in capitals"),
        ("SUPPRESSD__AMQP__", "has an empty part"),
        ("SUPPRESSD__", "has an empty part"),
        ("SUPPRESSD__AMQP", "amqp: is a section"),
        ("SUPPRESSD__AMQP__PREFIX__X", "amqp.prefix: must be a text"),
        ("SUPPRESSD__HASHING__KEY_FILES__0", "hashing.key_files: must be a list"),
        ("SUPPRESSD___AMQP__PREFIX", "_amqp: is not a key"),
    ] {
        let lines = Bench::new().variable(name, "hunter2").mistakes();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with(&format!("{name}: {problem}")), "{lines:?}");
    }
    let lines = Bench::new().variable("SUPPRESSD__AMQP__PREFIX", "hunter2\u{fffd}").mistakes();
    assert_eq!(lines, ["SUPPRESSD__AMQP__PREFIX: is not Unicode text; set it again in UTF-8"]);
}
