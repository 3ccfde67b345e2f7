//! `suppressd filter`: a file of recipients cleaned by the same rules as a job.

use std::path::Path;

use serde_json::json;

use crate::scene::{Scene, event};
use crate::support::{Finished, Stage};

const PEOPLE: &str =
    "user_id,phone,name\nU-canary,87772223344,A\nU-2,+7 777 111 31 11,Айгерім\nU-3,,B\nU-4,7.77E+10,C\n";

fn write(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn filter(stage: &Stage, file: &str, more: &[&str]) -> Finished {
    let campaign = ["filter", file, "--channel", "sms", "--region", "Shymkent", "--brand", "lulla.kz"];
    stage.run(&[&campaign[..], more].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_cleaned_against_the_live_list_and_against_a_file_of_events_alike() {
    let mut scene = Scene::new().await;
    let files = tempfile::tempdir().unwrap();
    let people = write(files.path(), "people.csv", PEOPLE);
    let events = [
        event("e-1", "opt_out", json!({"user_id": "U-canary"})),
        event("e-2", "complaint", json!({"phone": "8 (777) 111-31-11"})),
    ];
    for event in &events {
        scene.apply(event.clone()).await;
    }
    let live = filter(&scene.stage, &people, &[]);
    assert_eq!(live.code, Some(0), "{live:?}");
    assert_eq!(live.stdout, "user_id,phone,name\nU-3,,B\n");
    let out = files.path().join("out.csv").display().to_string();
    let counted = filter(&scene.stage, &people, &["--out", &out, "--json"]);
    assert_eq!(counted.code, Some(0), "{counted:?}");
    assert_eq!(std::fs::read_to_string(&out).unwrap(), live.stdout);
    let sums: serde_json::Value = serde_json::from_str(&counted.stdout).unwrap();
    assert_eq!((&sums["received"], &sums["kept"]), (&json!(4), &json!(1)), "{sums}");
    assert!(!counted.stderr.contains("Айгерім") && !live.stderr.contains("U-canary"));

    // Without any server.
    let lines = events.map(|event| event.to_string() + "\n").concat();
    let lines = write(files.path(), "events.ndjson", &lines);
    let nowhere = "[amqp]\nurl = \"amqp://127.0.0.1:1/%2f\"\n[redis]\nurl = \"redis://127.0.0.1:1/\"\n";
    scene.stage.configure(nowhere);
    let offline = filter(&scene.stage, &people, &["--opt-outs", &lines]);
    assert_eq!((offline.code, &offline.stdout), (Some(0), &live.stdout), "{offline:?}");
    scene.end().await;
}

#[test]
fn a_wrong_name_is_64_and_a_wrong_file_is_65() {
    let stage = Stage::new();
    let files = tempfile::tempdir().unwrap();
    let people = write(files.path(), "people.csv", PEOPLE);
    let none = write(files.path(), "none.ndjson", "");
    let offline = ["--opt-outs", none.as_str()];
    assert_eq!(filter(&stage, &people, &offline).code, Some(0));
    for wrong in [["--region", "Atlantis"], ["--region", "YUZ"], ["--brand", "x"], ["--channel", "fax"]] {
        let arguments = ["--channel", "sms", "--region", "KZ-79", "--brand", "lulla.kz"];
        let at = arguments.iter().position(|argument| *argument == wrong[0]).unwrap();
        let mut arguments = arguments;
        arguments[at + 1] = wrong[1];
        let ended = stage.run(&[&["filter", &people][..], &arguments, &offline].concat());
        assert_eq!(ended.code, Some(64), "{wrong:?}: {ended:?}");
    }
    let broken = write(files.path(), "broken.ndjson", "{\"user_id\": \"U-canary\"\n");
    let ended = filter(&stage, &broken, &offline);
    assert_eq!(ended.code, Some(65), "{ended:?}");
    assert!(!ended.stderr.contains("U-canary"), "{ended:?}");
    assert_eq!(filter(&stage, "missing.csv", &offline).code, Some(65));
    let ended = filter(&stage, &people, &["--opt-outs", &broken]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(65), ""), "{ended:?}");
}
