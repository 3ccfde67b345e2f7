//! A hashing key rotated from end to end: a second one, everything sent again, the first one retired and gone.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::scene::{CANARIES, Scene, but, event};
use crate::support::{Finished, LONG, Stage, eventually};

/// A key that nobody uses.
const KEY: &str = "5d0c7be2a94536a7d3f0e1c2b4968570ad3e5f6b7c8d9e1f2031425364758a8f\n";

/// Who opted out, and who is in no list at all.
const PEOPLE: [&str; 4] = ["U-canary", "U-canary-2", "U-canary-3", "U-9"];

/// A stage with the file of a second key.
struct Rotation {
    scene: Scene,
    old: String,
    new: String,
}

impl Rotation {
    async fn new() -> Self {
        let scene = Scene::new().await;
        let path = scene.stage.directory().join("new.key");
        std::fs::write(&path, KEY).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        Self { scene, old: Stage::key_file().display().to_string(), new: path.display().to_string() }
    }

    fn stage(&self) -> &Stage {
        &self.scene.stage
    }

    fn configure(&mut self, files: &[&str]) {
        let settings = format!("[hashing]\nkey_files = {}\n", json!(files));
        self.scene.stage.configure(&settings);
    }

    /// Puts a worker of this name in the place of the one before.
    async fn restart(&mut self, name: &str) {
        self.scene.worker.sigterm();
        assert_eq!(self.scene.worker.exit_code().await, Some(0), "{}", self.scene.worker.output());
        self.scene.worker = self.scene.stage.start(name);
        self.scene.worker.wait_ready().await;
    }

    /// A worker under both keys.
    async fn with_both(&mut self) {
        let (old, new) = (self.old.clone(), self.new.clone());
        self.configure(&[&old, &new]);
        self.restart("both").await;
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        let told = self.stage().run(arguments);
        for text in [&told.stdout, &told.stderr] {
            assert_eq!(CANARIES.iter().find(|canary| text.contains(*canary)), None, "{told:?}");
        }
        told
    }

    /// What `suppressd keys` tells.
    fn keys(&self) -> Value {
        let told = self.run(&["keys", "--json"]);
        assert_eq!(told.code, Some(0), "{told:?}");
        serde_json::from_str(&told.stdout).unwrap()
    }

    /// By what the old key is known: the list tells the oldest first.
    fn check(&self) -> String {
        self.keys()["keys"][0]["key"].as_str().unwrap().to_owned()
    }

    /// Imports people again, as the marketing database has them: by name, without a date.
    fn import(&self, people: &[&str]) {
        let list: PathBuf = self.stage().directory().join("again.csv");
        std::fs::write(&list, format!("user_id\n{}\n", people.join("\n"))).unwrap();
        let told = self.run(&["import", list.to_str().unwrap(), "--json"]);
        assert_eq!(told.code, Some(0), "{told:?}");
        std::fs::remove_file(list).unwrap();
    }

    async fn expect_nobody_but(&mut self, kept: &[&str]) {
        let people: Vec<Value> = PEOPLE.iter().map(|person| json!({"user_id": person})).collect();
        let (left, _) = self.scene.kept("sms", json!(people)).await;
        assert_eq!(left, kept);
    }

    /// The lines of an export, without the head, in order.
    fn exported(&self) -> Vec<String> {
        let told = self.run(&["export"]);
        assert_eq!(told.code, Some(0), "{told:?}");
        let mut lines: Vec<String> = told.stdout.lines().skip(1).map(ToOwned::to_owned).collect();
        lines.sort();
        lines
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_rotated_and_nobody_is_lost_on_the_way() {
    let mut on = Rotation::new().await;
    on.scene.apply(event("e-1", "opt_out", json!({"user_id": "U-canary"}))).await;
    on.scene.apply(event("e-2", "hold", json!({"user_id": "U-canary-2"}))).await;
    // The number changed, and what is said later of the time before must reach the new one.
    let changed = json!({"new_subject": {"user_id": "U-canary-3"}});
    on.scene
        .apply(but(event("e-3", "identifier_changed", json!({"user_id": "U-canary"})), changed.clone()))
        .await;
    let only = on.check();
    let refused = on.run(&["keys", "retire", &only]);
    assert!(refused.code == Some(65) && refused.stderr.contains("only key"), "{refused:?}");

    on.with_both().await;
    let keys = on.keys();
    assert_eq!(
        (&keys["keys"][0]["alone"], &keys["keys"][0]["identifiers"]),
        (&json!(3), &json!(3)),
        "{keys}"
    );
    assert_eq!(
        (&keys["keys"][1]["newest"], &keys["keys"][1]["identifiers"]),
        (&json!(true), &json!(0)),
        "{keys}"
    );
    on.expect_nobody_but(&["U-9"]).await;
    let refused = on.run(&["keys", "retire", &on.check()]);
    assert_eq!(refused.code, Some(65), "{refused:?}");
    assert!(refused.stderr.contains("3 identifiers are known under it alone"), "{refused:?}");
    assert_eq!(on.keys(), keys, "nothing was changed");

    // Without the old key nobody starts yet.
    let new = on.new.clone();
    on.configure(&[&new]);
    let without = on.stage().start("too-early");
    assert_eq!(without.exit_code().await, Some(78), "the list still needs the old key");
    assert!(without.output().contains("hashing.key_files"), "{}", without.output());
    let both = [on.old.clone(), new.clone()];
    on.configure(&[&both[0], &both[1]]);

    on.import(&["U-canary", "U-canary-2"]);
    let refused = on.run(&["keys", "retire", &on.check()]);
    assert!(refused.stderr.contains("2 identifiers"), "the change of identifier is missing: {refused:?}");
    on.scene.apply(but(event("e-4", "identifier_changed", json!({"user_id": "U-canary"})), changed)).await;
    let old = on.check();
    let begun = on.stage().begin("killed", &["keys", "retire", &old]);
    eventually("the command is at work", LONG, async || {
        begun.output().contains("copied to the newest").then_some(())
    })
    .await;
    begun.kill9();
    on.expect_nobody_but(&["U-9"]).await;
    let retired = on.run(&["keys", "retire", &old]);
    assert_eq!(retired.code, Some(0), "{retired:?}");
    assert!(retired.stdout.contains("retired"), "{retired:?}");
    let again = on.run(&["keys", "retire", &old]);
    assert_eq!((again.code, again.stdout.as_str()), (Some(0), "it was retired before\n"), "{again:?}");
    on.expect_nobody_but(&["U-9"]).await;

    // A worker that still has its file goes on, and does not make it needed again.
    on.restart("still-both").await;
    assert!(on.scene.worker.output().contains("a key is retired"), "{}", on.scene.worker.output());
    let told = on.run(&["doctor"]);
    assert!(told.stdout.contains("is retired: nothing depends on it"), "{told:?}");
    assert_eq!(on.keys()["retired"], json!([old]));

    on.configure(&[&new]);
    on.restart("new").await;
    on.expect_nobody_but(&["U-9"]).await;
    // As it was said before there was the new key, and not by the import.
    let late = json!({"occurred_at": "2026-10-31T10:00:00+05:00"});
    on.scene.apply(but(event("e-5", "complaint", json!({"user_id": "U-canary"})), late)).await;
    let release = json!({"occurred_at": "2026-11-02T10:00:00+05:00"});
    on.scene.apply(but(event("e-6", "release", json!({"user_id": "U-canary-2"})), release)).await;
    let exported = on.exported();
    let told = on.run(&["rebuild"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(on.exported(), exported);
    on.expect_nobody_but(&["U-9"]).await;

    // Emptied, the list passes through the time of the old key on its way back.
    on.scene.worker.sigterm();
    assert_eq!(on.scene.worker.exit_code().await, Some(0));
    on.stage().redis.run("FLUSHALL").await;
    on.scene.worker = on.stage().start("after-flush");
    on.scene.worker.wait_ready().await;
    on.expect_nobody_but(&["U-9"]).await;
    assert_eq!(on.exported(), exported);
    let told = on.stage().run(&["look-up", "--user-id", "U-canary", "--json"]);
    assert_eq!(told.code, Some(0), "ledger and list agree: {told:?}");

    let old_file = both[0].clone();
    on.configure(&[&old_file]);
    let outdated = on.stage().start("old-alone");
    assert_eq!(outdated.exit_code().await, Some(78), "the retired key finds nobody");
    on.configure(&[&new]);
    on.scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_names_people_under_the_old_key_alone_keeps_it_until_somebody_decides() {
    let mut on = Rotation::new().await;
    let review = json!({"review": "hold", "request_id": "CRM-88"});
    let told = on.scene.event(but(event("e-1", "opt_out", json!({"user_id": "U-canary"})), review)).await;
    assert_eq!(told["status"], "review", "{told}");
    on.with_both().await;
    on.import(&["U-canary"]);
    let old = on.check();
    let refused = on.run(&["keys", "retire", &old]);
    assert!(refused.code == Some(65) && refused.stderr.contains("1 requests in review"), "{refused:?}");
    on.scene.apply(but(event("e-2", "dismiss", json!({})), json!({"request_id": "CRM-88"}))).await;
    let retired = on.run(&["keys", "retire", &old]);
    assert_eq!(retired.code, Some(0), "{retired:?}");
    let unknown = on.run(&["keys", "retire", "0123456789abcdef"]);
    assert_eq!(unknown.code, Some(64), "{unknown:?}");
    on.scene.end().await;
}
