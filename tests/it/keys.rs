//! A second hashing key, walked through: what it needs, how it is verified, and why the first one stays.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::scene::{Scene, event};
use crate::support::Stage;

/// A key that nobody uses.
const KEY: &str = "5d0c7be2a94536a7d3f0e1c2b4968570ad3e5f6b7c8d9e1f2031425364758a8f\n";

/// What is in force for a person under each key that says something of its own; `null` where all say the same.
fn keys_in_force(stage: &Stage, user_id: &str) -> Vec<Value> {
    let told = stage.run(&["look-up", "--user-id", user_id, "--json"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    let in_force = told["identifiers"][0]["in_force"].as_array().unwrap().clone();
    in_force.iter().map(|said| said["key"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_imported_again_stands_under_a_new_key_too_and_nothing_goes_before_that() {
    let mut scene = Scene::new().await;
    scene.apply(event("e-1", "opt_out", json!({"user_id": "U-canary"}))).await;
    let new = scene.stage.directory().join("new.key");
    std::fs::write(&new, KEY).unwrap();
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o640)).unwrap();
    let (old, new) = (Stage::key_file().display().to_string(), new.display().to_string());
    scene.stage.configure(&format!("[hashing]\nkey_files = [\"{new}\", \"{old}\"]\n"));
    scene.worker.kill9();
    scene.worker = scene.stage.start("w2");
    scene.worker.wait_ready().await;

    let only_old = keys_in_force(&scene.stage, "U-canary");
    assert!(only_old.len() == 1 && only_old[0].is_string(), "{only_old:?}");
    let (kept, _) = scene.kept("sms", json!([{"user_id": "U-canary"}, {"user_id": "U-2"}])).await;
    assert_eq!(kept, ["U-2"], "the old key still tells");

    let list = scene.stage.directory().join("again.csv");
    std::fs::write(&list, "user_id\nU-canary\n").unwrap();
    let imported = scene.stage.run(&["import", list.to_str().unwrap(), "--json"]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    let both = keys_in_force(&scene.stage, "U-canary");
    assert!(!both.is_empty() && both.iter().any(Value::is_null), "{both:?}");

    scene.stage.configure(&format!("[hashing]\nkey_files = [\"{new}\"]\n"));
    let without = scene.stage.start("w3");
    assert_eq!(without.exit_code().await, Some(78), "the list still names the old key");
    assert!(without.output().contains("hashing.key_files"), "{}", without.output());
    std::fs::remove_file(list).unwrap();
    scene.end().await;
}
