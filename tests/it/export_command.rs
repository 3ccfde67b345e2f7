//! `suppressd export`: the whole list in lines, and what another installation makes of them.

use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use crate::scene::{CANARIES, Scene, event};
use crate::support::{Finished, LONG, Stage, eventually};

const RECIPIENTS: &str =
    "user_id,phone,email\nU-canary,,\nU-2,+7 777 111 31 11,\nU-3,,aigerim@example.kz\nU-4,,\n";

fn kept(stage: &Stage, channel: &str, region: &str) -> String {
    let recipients = stage.directory().join("recipients.csv");
    std::fs::write(&recipients, RECIPIENTS).unwrap();
    let recipients = recipients.display().to_string();
    let told =
        stage.run(&["filter", &recipients, "--channel", channel, "--region", region, "--brand", "lulla.kz"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    std::fs::remove_file(recipients).unwrap();
    told.stdout
}

fn run(stage: &Stage, arguments: &[&str]) -> Finished {
    let told = stage.run(arguments);
    for text in [&told.stdout, &told.stderr] {
        assert_eq!(CANARIES.iter().find(|canary| text.contains(*canary)), None, "{told:?}");
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_gives_the_same_verdicts_where_it_is_imported_with_the_same_keys() {
    let mut scene = Scene::new().await;
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("list.ndjson").display().to_string();
    let narrow = json!({"regions": ["KZ-79"], "channels": ["sms"]});
    scene.apply(event("e-1", "hold", json!({"user_id": "U-canary"}))).await;
    let mut narrowed = event("e-2", "opt_out", json!({"phone": "+7 777 111 3 111"}));
    narrowed["scope"] = narrow;
    scene.apply(narrowed).await;
    scene.apply(event("e-3", "complaint", json!({"email": "Aigerim@example.kz"}))).await;
    let told = run(&scene.stage, &["export", &file]);
    assert_eq!((told.code, told.stdout.as_str()), (Some(0), ""), "{told:?}");
    assert!(told.stderr.contains("exported 3 digests: revision 3"), "{told:?}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let lines: Vec<Value> = std::fs::read_to_string(&file)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!((&lines[0]["suppressd_export"], &lines[0]["revision"]), (&json!(1), &json!(3)), "{lines:?}");
    assert_eq!(lines[4], json!({"suppressd_export_end": 1, "identifiers": 3, "revision": 3}));
    let streamed = run(&scene.stage, &["export"]);
    assert_eq!(streamed.stdout.lines().count(), 5);

    let second = Stage::new();
    second.init();
    let told = run(&second, &["import", &file, "--json"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    let sums: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!((&sums["read"], &sums["new"]), (&json!(3), &json!(3)), "{sums}");
    for (channel, region) in [("sms", "KZ-79"), ("sms", "KZ-75"), ("email", "KZ-79")] {
        assert_eq!(kept(&second, channel, region), kept(&scene.stage, channel, region), "{channel} {region}");
    }
    assert!(kept(&second, "sms", "KZ-75").ends_with("email\nU-2,+7 777 111 31 11,\nU-4,,\n"));

    // Cut short, and under other keys.
    let whole = std::fs::read_to_string(&file).unwrap();
    let cut: String = whole.lines().take(3).map(|line| line.to_owned() + "\n").collect();
    std::fs::write(&file, &cut).unwrap();
    let told = run(&second, &["import", &file]);
    assert!(told.code == Some(65) && told.stderr.contains("cut short"), "{told:?}");
    let headless: String = whole.lines().skip(1).map(|line| line.to_owned() + "\n").collect();
    std::fs::write(&file, &headless).unwrap();
    let told = run(&second, &["import", &file, "--json"]);
    let sums: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!((told.code, &sums["refused"]), (Some(65), &json!(3)), "{sums}");
    std::fs::write(&file, &whole).unwrap();
    let mut third = Stage::new();
    let key = third.directory().join("other.key");
    std::fs::write(&key, "00112233445566778899aabbccddeeff".repeat(2) + "\n").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    third.configure(&format!("[hashing]\nkey_files = [\"{}\"]\n", key.display()));
    third.init();
    let told = run(&third, &["import", &file]);
    assert!(told.code == Some(78) && told.stderr.contains("hashing.key_files"), "{told:?}");
    assert!(!Path::new(&format!("{file}.import-state.json")).exists(), "nothing was begun");
    scene.end().await;
}

/// The most memory that a command ever had, in bytes, and what it printed.
async fn peak_of(stage: &Stage, name: &str, arguments: &[&str]) -> (usize, String) {
    let running = stage.begin(name, arguments);
    let status = format!("/proc/{}/status", running.pid());
    let mut peak = 0;
    eventually("the command ends", LONG, async || {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
        peak = peak.max(kib.unwrap_or(0) * 1024);
        kib.is_none().then_some(())
    })
    .await;
    assert_eq!(running.exit_code().await, Some(0), "{}", running.output());
    (peak, running.output())
}

/// Four times as many lines cost what the mirror has of them, and less than keeping the lines would.
#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_thousand_people_go_in_and_out_in_bounded_memory() {
    const SOME: usize = 50_000;
    const PEOPLE: usize = 200_000;
    const GROWTH_MAX: usize = 100 * (PEOPLE - SOME);
    let files = tempfile::tempdir().unwrap();
    let write = |name: &str, people: std::ops::Range<usize>| -> String {
        let mut text = String::from("user_id,occurred_at\n");
        for person in people {
            writeln!(text, "U-{person},2026-11-01T10:00:00+05:00").unwrap();
        }
        let path = files.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (some, all) = (write("some.csv", 0..SOME), write("all.csv", 0..PEOPLE));
    let export = files.path().join("list.ndjson").display().to_string();
    let stage = Stage::new();
    stage.init();
    let (some_in, _) = peak_of(&stage, "some-in", &["import", &some]).await;
    let (some_out, _) = peak_of(&stage, "some-out", &["export", &export]).await;
    let (all_in, told) = peak_of(&stage, "all-in", &["import", &all]).await;
    assert!(told.contains("in force since revision 200000,"), "it ends when everything is in force: {told}");
    let (all_out, _) = peak_of(&stage, "all-out", &["export", &export]).await;
    for (command, some, all) in [("import", some_in, all_in), ("export", some_out, all_out)] {
        assert!(all < some + GROWTH_MAX, "{command}: {} KiB after {} KiB", all >> 10, some >> 10);
    }
    let text = std::fs::read_to_string(Path::new(&export)).unwrap();
    assert_eq!(text.lines().count(), PEOPLE + 2);
    let end: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(end["identifiers"], json!(PEOPLE));
}
