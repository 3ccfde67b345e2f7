//! What a person at the command line sees: files, streams and exit codes.

use std::fs;

use clap::Parser;
use tempfile::TempDir;

use super::*;

/// The command as `main` will have it.
#[derive(Parser)]
struct Line {
    #[command(flatten)]
    filter: FilterArgs,
}

const RECIPIENTS: &str = "user_id,email,phone\r\n\
    U-1,a@b.kz,8 (777) 111-31-11\r\n\
    U-2,c@d.kz,\r\n\
    U-3,,not a number\r\n";
const OPT_OUT: &str = r#"{"event_id":"1","source":"call_center","kind":"opt_out","occurred_at":"2026-11-22T10:15:00+05:00","subject":{"phone":"+7 777 111 3 111"},"scope":{"regions":["SHY"],"channels":["sms"]}}"#;
/// In every wrong name and value.
const CANARY: &str = "hunter2";

/// A directory with recipients and a configuration.
struct Desk {
    dir: TempDir,
    config: Vec<PathBuf>,
}

/// What came of a run.
struct Ran {
    exit: Exit,
    out: String,
    err: String,
}

impl Desk {
    fn new() -> Self {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
        let config = vec![config.join("suppressd.toml"), config.join("kazakhstan.toml")];
        let desk = Self { dir: TempDir::new().unwrap(), config };
        desk.file("recipients.csv", RECIPIENTS);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names of all files, sorted.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn args(&self, line: &str) -> FilterArgs {
        let words = line.split_whitespace().map(|word| {
            let is_file = word.contains('.') && !word.contains(".kz");
            if is_file { self.path(word).to_str().unwrap().to_owned() } else { word.to_owned() }
        });
        Line::try_parse_from(std::iter::once("filter".to_owned()).chain(words)).ok().unwrap().filter
    }

    /// Runs with the events in `opt-outs.ndjson`.
    fn run(&self, line: &str) -> Ran {
        let args = self.args(line);
        let now = "2026-11-22T06:00:00Z".parse().unwrap();
        let opt_outs = self.path("opt-outs.ndjson");
        ran(|console| run_offline(&args, &opt_outs, &self.config, std::iter::empty(), now, console))
    }
}

fn ran(run: impl FnOnce(&mut Console<'_>) -> Exit) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut console =
        Console { out: &mut out, err: &mut err, out_is_terminal: false, err_is_terminal: false };
    let exit = run(&mut console);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let ran = Ran { exit, out: text(out), err: text(err) };
    assert!(!ran.err.contains(CANARY), "{}", ran.err);
    ran
}

const SMS: &str = "recipients.csv --channel sms --region KZ-79 --brand lulla.kz";

#[test]
fn a_file_is_cleaned_by_a_file_of_events_alone() {
    let desk = Desk::new();
    desk.file("opt-outs.ndjson", format!("\u{feff}{OPT_OUT}\n\n{OPT_OUT}\r\n"));
    let ran = desk.run(SMS);
    assert_eq!(ran.exit, Exit::Fine, "{}", ran.err);
    assert_eq!(ran.out, "user_id,email,phone\r\nU-2,c@d.kz,\r\n");
    assert_eq!(
        ran.err,
        "opt-outs: 2 events, 1 repeated; 1 identifiers restricted\n\
         cleaned for sms, KZ-79, lulla.kz:\n\
         \x20 received                   3\n\
         \x20 kept                       1\n\
         \x20 removed                    2\n\
         \x20   hold                     0\n\
         \x20   opt_out                  1\n\
         \x20   complaint                0\n\
         \x20   bounce                   0\n\
         \x20   unidentifiable           1\n"
    );
}

#[test]
fn names_may_be_aliases_and_the_scope_of_an_event_counts() {
    let desk = Desk::new();
    desk.file("opt-outs.ndjson", OPT_OUT);
    for (line, kept) in [
        ("recipients.csv --channel sms --region шымкент --brand LULLA.kz", 1),
        ("recipients.csv --channel sms --region Астана --brand bilal.kz", 2),
        ("recipients.csv --channel email --region KZ-79 --brand bilal.kz", 3),
    ] {
        let ran = desk.run(line);
        assert_eq!((ran.exit, ran.out.lines().count()), (Exit::Fine, 1 + kept), "{line}: {}", ran.err);
    }
}

#[test]
fn with_out_the_sums_can_be_had_as_json() {
    let desk = Desk::new();
    desk.file("opt-outs.ndjson", OPT_OUT);
    let ran = desk.run(&format!("{SMS} --out clean.csv --json"));
    assert_eq!(ran.exit, Exit::Fine, "{}", ran.err);
    assert_eq!(desk.text("clean.csv"), "user_id,email,phone\r\nU-2,c@d.kz,\r\n");
    assert_eq!(
        ran.out,
        "{\"channel\":\"sms\",\"region\":\"KZ-79\",\"brand\":\"lulla.kz\",\"received\":3,\"kept\":1,\
         \"removed\":{\"opt_out\":1,\"hold\":0,\"complaint\":0,\"bounce\":0,\"unidentifiable\":1},\
         \"ignored\":{\"user_id\":0,\"email\":0,\"phone\":0}}\n"
    );
    assert_eq!(desk.names(), ["clean.csv", "opt-outs.ndjson", "recipients.csv"]);
}

#[test]
fn a_file_can_be_cleaned_in_place_and_keeps_its_rights() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    desk.file("opt-outs.ndjson", OPT_OUT);
    let mode = |name| fs::metadata(desk.path(name)).unwrap().permissions().mode() & 0o777;
    fs::set_permissions(desk.path("recipients.csv"), fs::Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink(desk.path("recipients.csv"), desk.path("link.csv")).unwrap();
    let ran = desk.run(&format!("{SMS} --out link.csv"));
    assert_eq!(ran.exit, Exit::Fine, "{}", ran.err);
    assert_eq!(desk.text("recipients.csv"), "user_id,email,phone\r\nU-2,c@d.kz,\r\n");
    assert_eq!(mode("recipients.csv"), 0o600);
    assert!(fs::symlink_metadata(desk.path("link.csv")).unwrap().is_symlink());
}

#[test]
fn a_name_that_is_not_configured_is_a_mistake_of_the_command_line() {
    let desk = Desk::new();
    desk.file("opt-outs.ndjson", "never read");
    for (line, options) in [
        ("recipients.csv --channel sms --region hunter2 --brand lulla.kz", &["--region: "][..]),
        ("recipients.csv --channel sms --region YUZ --brand lulla.kz", &["--region: "]),
        ("recipients.csv --channel sms --region hunter2 --brand hunter2", &["--region: ", "--brand: "]),
    ] {
        let ran = desk.run(line);
        assert_eq!((ran.exit, ran.out.as_str()), (Exit::Usage, ""));
        assert!(options.iter().all(|option| ran.err.contains(option)), "{}", ran.err);
        assert_eq!(ran.err.lines().count(), options.len());
    }
    for line in [
        "filter recipients.csv --channel fax --region KZ-79 --brand lulla.kz",
        "filter --channel sms --region KZ-79 --brand lulla.kz",
        "filter recipients.csv --channel sms --region KZ-79",
        "filter recipients.csv --channel sms --region KZ-79 --brand lulla.kz --json",
    ] {
        assert!(Line::try_parse_from(line.split(' ')).is_err(), "{line}");
    }
}

#[test]
fn without_a_configuration_the_way_to_one_is_shown() {
    let mut desk = Desk::new();
    desk.file("opt-outs.ndjson", OPT_OUT);
    desk.config.clear();
    let ran = desk.run(SMS);
    assert_eq!(ran.exit, Exit::Usage);
    assert!(ran.err.contains("--config config/kazakhstan.toml"), "{}", ran.err);
    desk.file("bad.toml", "policy.brands = []\n");
    desk.config = vec![desk.path("bad.toml")];
    let ran = desk.run(SMS);
    assert_eq!(ran.exit, Exit::Configuration);
    assert!(ran.err.contains("policy.brands"), "{}", ran.err);
}

#[test]
fn the_file_of_events_is_not_overwritten() {
    let desk = Desk::new();
    desk.file("opt-outs.ndjson", OPT_OUT);
    let ran = desk.run(&format!("{SMS} --out opt-outs.ndjson"));
    assert_eq!((ran.exit, desk.text("opt-outs.ndjson").as_str()), (Exit::Usage, OPT_OUT));
}

#[test]
fn files_that_are_not_there_are_named() {
    let desk = Desk::new();
    let ran = desk.run(SMS);
    assert_eq!(ran.exit, Exit::BadData);
    assert!(ran.err.contains("opt-outs.ndjson: cannot be opened"), "{}", ran.err);
    desk.file("opt-outs.ndjson", "");
    let ran = desk.run("none.csv --channel sms --region KZ-79 --brand lulla.kz");
    assert_eq!(ran.exit, Exit::BadData);
    assert!(ran.err.contains("none.csv: cannot be opened"), "{}", ran.err);
    let ran = desk.run(&format!("{SMS} --out none/x.csv"));
    assert_eq!(ran.exit, Exit::Usage);
    assert!(ran.err.contains("--out: cannot be created"), "{}", ran.err);
}

#[test]
fn bad_rows_leave_no_output_and_what_was_there_stays() {
    let desk = Desk::new();
    desk.file("opt-outs.ndjson", OPT_OUT);
    desk.file("recipients.csv", "user_id,name\nU-1,x\nhunter2\nU-2,\"hunter2\" x\n");
    desk.file("clean.csv", "before");
    let ran = desk.run(&format!("{SMS} --out clean.csv"));
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::BadData, ""));
    assert!(ran.err.contains("\nline 3: ") && ran.err.contains("\nline 4: "), "{}", ran.err);
    assert_eq!(desk.text("clean.csv"), "before");
    assert_eq!(desk.names(), ["clean.csv", "opt-outs.ndjson", "recipients.csv"]);
    let ran = desk.run(SMS);
    assert_eq!(ran.exit, Exit::BadData);
    assert!(ran.err.contains("standard output is not whole"), "{}", ran.err);
}

/// An event with these members in place of those of a good one.
fn event(id: &str, members: &str) -> String {
    let mut event: serde_json::Value = serde_json::from_str(OPT_OUT).unwrap();
    let members: serde_json::Value = serde_json::from_str(members).unwrap();
    event["event_id"] = id.into();
    for (name, value) in members.as_object().unwrap() {
        event[name] = value.clone();
    }
    event.to_string()
}

#[test]
fn an_event_that_cannot_be_accepted_stops_everything() {
    let desk = Desk::new();
    let lines = [
        (OPT_OUT.to_owned(), None),
        ("{\"event_id\":\"hunter2\"".to_owned(), Some("bad_json")),
        (event("2", r#"{"kind":"hunter2"}"#), Some("bad_schema: /kind")),
        (event("3", r#"{"source":"hunter2"}"#), Some("not_permitted: /source")),
        (event("4", r#"{"source":"import","kind":"opt_in"}"#), Some("not_permitted: /kind")),
        (event("5", r#"{"subject":{"phone":"hunter2"}}"#), Some("no_identifier: /subject")),
        (
            event("6", r#"{"kind":"opt_in","occurred_at":"2027-01-01T00:00:00Z"}"#),
            Some("future_dated: /occurred_at"),
        ),
        (event("7", r#"{"kind":"opt_in","scope":{"brands":["hunter2"]}}"#), Some("unknown_scope: /scope")),
        (event("1", r#"{"agent":"hunter2"}"#), Some("event_id_conflict: /event_id")),
        (event("8", r#"{"kind":"dismiss","request_id":"hunter2"}"#), Some("unknown_request: /request_id")),
        (event("9", r#"{"occurred_at":"2026-01-01T00:00:00Z"}"#), None),
    ];
    desk.file("opt-outs.ndjson", lines.each_ref().map(|(line, _)| line.as_str()).join("\n"));
    let ran = desk.run(&format!("{SMS} --out clean.csv"));
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::BadData, ""));
    let expected =
        (1..).zip(&lines).filter_map(|(line, (_, rule))| Some(format!("line {line}: {}", (*rule)?)));
    let mut said = ran.err.lines().skip(1);
    for start in expected {
        let line = said.next().unwrap_or_default();
        assert!(line.starts_with(&start), "{line:?} should begin with {start:?}");
    }
    assert_eq!((said.next(), desk.names().contains(&"clean.csv".to_owned())), (None, false));
}

#[test]
fn events_of_a_file_act_as_those_that_are_sent() {
    let desk = Desk::new();
    let all = r#"{"scope":{},"#;
    for (events, kept) in [
        (vec![], 2),
        (vec![event("2", &format!("{all}{}", r#""subject":{"user_id":"U-2"}}"#))], 1),
        // A later opt-in lifts, in whichever order they stand.
        (vec![event("3", r#"{"kind":"opt_in","occurred_at":"2026-11-22T05:30:00Z"}"#), OPT_OUT.into()], 2),
        // Unknown names widen, and what restricts from the future holds now.
        (vec![event("4", r#"{"scope":{"regions":["hunter2"]},"occurred_at":"2030-01-01T00:00:00Z"}"#)], 1),
        // One identifier is enough.
        (vec![event("5", r#"{"subject":{"phone":"hunter2","user_id":"U-1"}}"#)], 1),
        // What the old number refused holds for whom it moved to.
        (
            vec![
                event(
                    "6",
                    r#"{"kind":"identifier_changed","new_subject":{"user_id":"U-2"},"subject":{"email":"x@y.kz"},"occurred_at":"2026-11-22T05:30:00Z"}"#,
                ),
                event("7", r#"{"subject":{"email":"x@y.kz"}}"#),
            ],
            1,
        ),
    ] {
        desk.file("opt-outs.ndjson", events.join("\n"));
        let ran = desk.run(SMS);
        assert_eq!(ran.exit, Exit::Fine, "{}", ran.err);
        assert_eq!(ran.out.lines().count(), 1 + kept, "{events:?}\n{}", ran.out);
    }
}

#[test]
fn a_live_list_that_cannot_be_asked_is_a_service_that_is_away() {
    let desk = Desk::new();
    desk.file("opt-outs.ndjson", "");
    let rules = load_rules(&desk.config, std::iter::empty()).unwrap();
    let key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let keys = KeyRing::new(vec![crate::domain::digest::HashKey::from_file_text(key).unwrap()]).unwrap();
    let args = desk.args(&format!("{SMS} --out clean.csv"));
    let ran = ran(|console| run_live(&args, &rules, &keys, |_, _| Err("Redis does not answer"), console));
    assert_eq!(ran.exit, Exit::Unavailable);
    assert_eq!(ran.err, "the list: Redis does not answer; nothing was written\n");
    assert_eq!(desk.names(), ["opt-outs.ndjson", "recipients.csv"]);
}
