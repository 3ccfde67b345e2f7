//! `suppressd import`: files of opt-outs into the list, with and without workers, in one go and in several.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::scene::{CANARIES, Scene, but, event};
use crate::support::{Finished, LONG, Stage, eventually};

const PEOPLE: &str = "user_id,phone,kind,occurred_at,brand\n\
    U-canary,8 (777) 111-31-11,,2026-11-01T10:00:00+05:00,\n\
    U-2,,hold,2026-11-01 10:00,lulla.kz\n\
    U-3,,opt_in,2026-11-20T10:00:00+05:00,\n\
    U-4,7.77E+10,,22.10.2026,Atlantis\n\
    ,7.77E+10,,,\n";

fn write(directory: &Path, name: &str, text: &str) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", file.display()))
}

fn import(stage: &Stage, file: &Path, more: &[&str]) -> Finished {
    let file = file.display().to_string();
    let told = stage.run(&[&["import", &file, "--json"][..], more].concat());
    for text in [&told.stdout, &told.stderr] {
        let found = CANARIES.iter().find(|canary| text.contains(*canary));
        assert_eq!(found, None, "{told:?}");
    }
    told
}

/// The sums of an import that ends with this code.
fn sums(stage: &Stage, file: &Path, more: &[&str], code: i32) -> Value {
    let told = import(stage, file, more);
    assert_eq!(told.code, Some(code), "{told:?}");
    serde_json::from_str(&told.stdout).unwrap_or_else(|error| panic!("{error}: {told:?}"))
}

fn count(sums: &Value, names: [&str; 6]) -> [u64; 6] {
    names.map(|name| sums[name].as_u64().unwrap_or_else(|| panic!("{name}: {sums}")))
}

const SUMS: [&str; 6] = ["read", "new", "known", "superseded", "refused", "written"];

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_in_an_imported_file_is_in_no_job_from_then_on() {
    let mut scene = Scene::new().await;
    let files = tempfile::tempdir().unwrap();
    let file = write(files.path(), "out.csv", PEOPLE);
    let first = sums(&scene.stage, &file, &[], 65);
    assert_eq!(count(&first, SUMS), [5, 3, 0, 0, 2, 3], "{first}");
    assert_eq!((&first["kinds"], &first["widened"]), (&json!({"opt_out": 2, "hold": 1}), &json!(1)));
    assert_eq!(first["revision"], 3, "{first}");
    let people = json!([
        {"user_id": "U-2"}, {"user_id": "U-3"}, {"user_id": "U-4"},
        {"user_id": "U-5", "phone": "87771113111"}, {"user_id": "U-6"}
    ]);
    let (kept, removed) = scene.kept("sms", people).await;
    assert_eq!((kept, &removed["hold"]), (vec!["U-3".to_owned(), "U-6".to_owned()], &json!(1)));

    let rejected = std::fs::read_to_string(beside(&file, ".rejected.ndjson")).unwrap();
    let rejected: Vec<Value> = rejected.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rejected.iter().map(|line| line["line"].as_u64()).collect::<Vec<_>>(), [Some(4), Some(6)]);
    let rules: Vec<_> = rejected.iter().map(|line| line["rule"].as_str().unwrap()).collect();
    assert!(rules[0].starts_with("not_permitted") && rules[1].starts_with("no_identifier"), "{rules:?}");
    assert!(!beside(&file, ".import-state.json").exists());

    let look_up = scene.stage.run(&["look-up", "--phone", "87771113111"]);
    let name = first["import"].as_str().unwrap();
    assert!(look_up.stdout.contains(&format!("import {name}, line 2")), "{look_up:?}");

    // Once more: nothing is written, nothing changes.
    let again = sums(&scene.stage, &file, &[], 65);
    assert_eq!(count(&again, SUMS), [5, 0, 3, 0, 2, 0], "{again}");
    assert_eq!(again["revision"], 3, "{again}");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_counts_and_writes_nothing() {
    let mut scene = Scene::new().await;
    let files = tempfile::tempdir().unwrap();
    let file = write(files.path(), "out.csv", PEOPLE);
    scene.apply(event("e-1", "opt_out", json!({"user_id": "U-2"}))).await;
    let later = json!({"occurred_at": "2026-11-21T10:00:00+05:00"});
    scene.apply(but(event("e-2", "opt_in", json!({"user_id": "U-4"})), later)).await;
    let told = sums(&scene.stage, &file, &["--preview"], 65);
    assert_eq!(count(&told, SUMS), [5, 1, 1, 1, 2, 3], "{told}");
    assert_eq!(told["revision"], 2, "{told}");
    assert_eq!(std::fs::read_dir(files.path()).unwrap().count(), 1, "nothing lies beside the file");
    let look_up = scene.stage.run(&["look-up", "--phone", "87771113111"]);
    assert!(look_up.stdout.contains("phone: nothing is known"), "{look_up:?}");
    let people = scene.stage.run(&["import", &file.display().to_string(), "--preview"]);
    assert!(
        people.stdout.contains("nothing was written") && people.stderr.contains("line 4: "),
        "{people:?}"
    );
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_never_lifts_and_an_older_one_leaves_a_later_opt_in_alone() {
    let mut scene = Scene::new().await;
    let files = tempfile::tempdir().unwrap();
    let lines = [
        event("e-1", "opt_out", json!({"user_id": "U-canary"})),
        but(
            event("e-2", "opt_in", json!({"user_id": "U-2"})),
            json!({"occurred_at": "2026-11-20T10:00:00Z"}),
        ),
    ];
    scene.apply(event("e-0", "opt_out", json!({"user_id": "U-2"}))).await;
    let file = write(files.path(), "events.ndjson", &lines.map(|line| line.to_string() + "\n").concat());
    assert_eq!(count(&sums(&scene.stage, &file, &[], 65), SUMS), [2, 1, 0, 0, 1, 1]);
    let both = json!([{"user_id": "U-canary"}, {"user_id": "U-2"}]);
    assert!(scene.kept("sms", both.clone()).await.0.is_empty());

    let later = json!({"occurred_at": "2026-11-10T10:00:00+05:00"});
    scene.apply(but(event("e-3", "opt_in", json!({"user_id": "U-canary"})), later)).await;
    let again = sums(&scene.stage, &file, &[], 65);
    assert_eq!(count(&again, SUMS), [2, 0, 0, 1, 1, 0], "{again}");
    assert_eq!(scene.kept("sms", both).await.0, ["U-canary"]);
    scene.end().await;
}

/// A file of so many people, each with a date.
fn crowd(lines: usize) -> String {
    let mut text = String::from("email,created\n");
    for line in 0..lines {
        writeln!(text, "person-{line}@example.kz,{}", 1_700_000_000 + line).unwrap();
    }
    text
}

/// The lines of an export that hold somebody.
fn exported(stage: &Stage) -> Vec<String> {
    let told = stage.run(&["export"]);
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    let mut lines: Vec<_> =
        told.stdout.lines().filter(|line| line.contains("digest")).map(ToOwned::to_owned).collect();
    lines.sort();
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_import_goes_on_where_it_was_and_gives_the_same_list() {
    const LINES: usize = 20_000;
    let files = tempfile::tempdir().unwrap();
    let file = write(files.path(), "unsubscribes.csv", &(crowd(LINES) + "nobody,1\n"));
    let state = beside(&file, ".import-state.json");
    let left = || -> Option<u64> {
        let state: Value = serde_json::from_slice(&std::fs::read(&state).ok()?).ok()?;
        state["line"].as_u64()
    };
    let stage = Stage::new();
    stage.init();
    let name = file.display().to_string();
    // No worker runs: the command applies what it wrote.
    let killed = stage.begin("import-1", &["import", &name]);
    let first = eventually("some lines are in", LONG, async || left().filter(|line| *line > 0)).await;
    killed.kill9();
    let interrupted = stage.begin("import-2", &["import", &name]);
    let second = eventually("more lines are in", LONG, async || left().filter(|line| *line > first)).await;
    interrupted.sigterm();
    assert_eq!(interrupted.exit_code().await, Some(69), "{}", interrupted.output());
    assert!(interrupted.output().contains("run the same command again"), "{}", interrupted.output());
    let line = left().unwrap();
    assert!(line >= second && line < LINES as u64, "it was interrupted in the middle: {line}");
    let told = sums(&stage, &file, &[], 65);
    assert_eq!(told["went_on_after"], line, "{told}");
    assert_eq!(count(&told, SUMS)[0], LINES as u64 + 1, "{told}");
    assert_eq!(told["refused"], 1, "{told}");
    let rejected = std::fs::read_to_string(beside(&file, ".rejected.ndjson")).unwrap();
    assert_eq!(rejected.lines().count(), 1, "{rejected}");
    assert!(!state.exists());

    let other = Stage::new();
    other.init();
    assert_eq!(count(&sums(&other, &file, &[], 65), SUMS)[1], LINES as u64);
    let (found, expected) = (exported(&stage), exported(&other));
    assert_eq!(found.len(), LINES);
    assert!(found == expected, "an interrupted import gives the list of one in one go");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_imported_at_all_is_told_before_anything_is_written() {
    let mut stage = Stage::new();
    stage.init();
    let files = tempfile::tempdir().unwrap();
    let headless = write(files.path(), "list.csv", "aigerim@example.kz\nbolat@example.kz\n");
    for (file, more, code) in [
        (headless.as_path(), &[][..], 65),
        (Path::new("missing.csv"), &[], 65),
        (files.path(), &[], 65),
        (headless.as_path(), &["--format", "excel"], 64),
        (headless.as_path(), &["--format", "ndjson"], 65),
        (headless.as_path(), &["--occurred-at", "yesterday"], 64),
    ] {
        let told = import(&stage, file, more);
        assert_eq!(told.code, Some(code), "{told:?}");
    }
    let file = write(files.path(), "out.csv", "email\nbolat@example.kz\n");
    std::fs::create_dir(beside(&file, ".import-state.json")).unwrap();
    assert_eq!(import(&stage, &file, &[]).code, Some(70));
    std::fs::remove_dir(beside(&file, ".import-state.json")).unwrap();
    let told = stage.run(&["export"]);
    assert!(told.stdout.contains("\"identifiers\":0"), "{told:?}");

    stage.configure("[sources.import]\nmay = [\"bounce\"]\n");
    let told = sums(&stage, &file, &[], 65);
    assert_eq!(count(&told, SUMS), [1, 0, 0, 0, 1, 0], "{told}");
    let settings = std::fs::read_to_string(stage.directory().join("suppressd.toml")).unwrap();
    let without =
        write(files.path(), "without.toml", &settings.replace("[sources.import]", "[sources.files]"));
    let mut command = stage.command(&[]);
    command
        .arg("import")
        .arg(&file)
        .arg("--config")
        .arg(&stage.config_files()[0])
        .arg("--config")
        .arg(without);
    let mut bare = std::process::Command::new(command.get_program());
    bare.env_clear().args(command.get_args().skip_while(|argument| *argument != "import"));
    let told = bare.output().unwrap();
    let words = String::from_utf8_lossy(&told.stderr);
    assert!(told.status.code() == Some(78) && words.contains("[sources.import]"), "{words}");
    stage.configure("[redis]\nurl = \"redis://127.0.0.1:1/\"\n");
    assert_eq!(import(&stage, &file, &[]).code, Some(69));
}
