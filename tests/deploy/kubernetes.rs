//! The files for Kubernetes: that they are YAML, ask for no more than they need, fit the program's own settings, and
//! name nothing that is not there. What kustomize itself says about them is looked at too where kubectl is at hand.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::{PROGRAM, done, key_in, top};

/// Debian's own interpreter, which has the module.
const TO_JSON: &str = "\
import json, sys, yaml
print(json.dumps([it for it in yaml.safe_load_all(open(sys.argv[1]))]))";

fn folder() -> PathBuf {
    top().join("deploy/kubernetes")
}

/// The documents of a file.
fn documents(file: &str) -> Vec<Value> {
    let json = done(Command::new("/usr/bin/python3").args(["-c", TO_JSON]).arg(folder().join(file)));
    serde_json::from_str(&json).expect("Python writes JSON")
}

fn document(file: &str) -> Value {
    let [only] = <[Value; 1]>::try_from(documents(file)).expect("one document");
    only
}

fn text(file: &str) -> String {
    std::fs::read_to_string(top().join(file)).unwrap()
}

/// Those of the workers and of `init`.
fn pods() -> [Value; 2] {
    ["workers.yaml", "init/job.yaml"].map(|file| document(file)["spec"]["template"]["spec"].clone())
}

#[test]
fn a_pod_may_do_nothing_but_its_work() {
    for pod in pods() {
        assert_eq!(pod["automountServiceAccountToken"], false);
        assert_eq!(pod["enableServiceLinks"], false);
        let all = &pod["securityContext"];
        assert_eq!((&all["runAsNonRoot"], &all["runAsUser"]), (&true.into(), &10001.into()));
        assert_eq!(all["seccompProfile"]["type"], "RuntimeDefault");
        let container = &pod["containers"][0];
        let own = &container["securityContext"];
        assert_eq!(
            (&own["allowPrivilegeEscalation"], &own["readOnlyRootFilesystem"]),
            (&false.into(), &true.into())
        );
        assert_eq!(own["capabilities"], serde_json::json!({"drop": ["ALL"]}));
        assert!(container["resources"]["limits"]["memory"].is_string());
        for host in ["hostNetwork", "hostPID", "hostIPC", "serviceAccountName"] {
            assert_eq!(pod[host], Value::Null, "{host}");
        }
    }
}

#[test]
fn secrets_are_files_that_a_worker_accepts() {
    for pod in pods() {
        let volumes = pod["volumes"].as_array().unwrap();
        let secret = volumes.iter().find(|volume| volume["secret"].is_object()).unwrap();
        assert_eq!(secret["secret"]["defaultMode"], 0o440, "a key that is open to everybody is refused");
        assert_eq!(pod["securityContext"]["fsGroup"], 10001, "and this group may read it");
        assert_eq!(pod["containers"][0]["env"], Value::Null, "no secret is a variable");
    }
}

#[test]
fn nothing_but_a_dead_process_ends_a_worker() {
    let container = &document("workers.yaml")["spec"]["template"]["spec"]["containers"][0];
    let asks = |probe: &str| container[probe]["httpGet"]["path"].clone();
    assert_eq!(
        [asks("livenessProbe"), asks("startupProbe"), asks("readinessProbe")],
        ["/live", "/live", "/ready"]
    );
    let port = container["ports"][0]["containerPort"].as_u64().unwrap();
    assert!(text("deploy/kubernetes/config/cluster.toml").contains(&format!(":{port}\"")));
}

#[test]
fn a_worker_has_the_time_that_its_settings_give_it() {
    let grace = text("deploy/kubernetes/config/cluster.toml");
    let grace =
        grace.lines().find_map(|line| line.strip_prefix("grace_s = ")).unwrap().parse::<u64>().unwrap();
    let killed =
        document("workers.yaml")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"].clone();
    // After the grace the connections are closed.
    assert!(killed.as_u64().unwrap() >= grace + 15, "{killed} for {grace}");
}

#[test]
fn budget_scaler_monitor_and_firewall_mean_the_workers() {
    let workers = document("workers.yaml");
    let labels = workers["spec"]["template"]["metadata"]["labels"].as_object().unwrap();
    let [_, scaled] = <[Value; 2]>::try_from(documents("scaling/scaling.yaml")).unwrap();
    for selector in [
        &workers["spec"]["selector"],
        &document("disruption.yaml")["spec"]["selector"],
        &document("network.yaml")["spec"]["podSelector"],
        &document("monitoring/podmonitor.yaml")["spec"]["selector"],
    ] {
        for (name, value) in selector["matchLabels"].as_object().unwrap() {
            assert_eq!(labels.get(name), Some(value), "{name}");
        }
    }
    assert_eq!(scaled["spec"]["scaleTargetRef"]["name"], workers["metadata"]["name"]);
    assert_eq!(scaled["spec"]["triggers"][0]["metadata"]["queueName"], "suppressd.jobs");
    assert!(scaled["spec"]["minReplicaCount"].as_u64().unwrap() >= 1, "opt-outs come without jobs");
}

#[test]
fn the_configuration_of_the_cluster_is_right() {
    let directory = TempDir::new().unwrap();
    let key = key_in(directory.path());
    let mut check = Command::new(PROGRAM);
    check.arg("check-config");
    for file in ["config/suppressd.toml", "config/kazakhstan.toml", "deploy/kubernetes/config/cluster.toml"] {
        check.arg("--config").arg(top().join(file));
    }
    // Files of the secret, which are not here.
    for file in ["HASHING__KEY_FILES", "AMQP__PASSWORD_FILE", "REDIS__PASSWORD_FILE"] {
        check.env(format!("SUPPRESSD__{file}"), &key);
    }
    let authority = authority_in(directory.path());
    for file in ["AMQP__CA_FILE", "REDIS__CA_FILE"] {
        check.env(format!("SUPPRESSD__{file}"), &authority);
    }
    assert_eq!(done(&mut check), "the configuration is right\n");
}

/// A certificate of nobody.
fn authority_in(directory: &std::path::Path) -> PathBuf {
    let path = directory.join("ca.pem");
    let mut make = Command::new("openssl");
    make.args([
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=nobody",
        "-keyout",
        "/dev/null",
        "-out",
    ]);
    done(make.arg(&path));
    path
}

#[test]
fn every_file_that_is_named_is_there_and_every_file_is_named() {
    let mut named = vec!["kustomization.yaml".to_owned()];
    for folder in ["", "config/", "init/", "scaling/", "monitoring/"] {
        let kustomization = document(&format!("{folder}kustomization.yaml"));
        let lists = [&kustomization["resources"], &kustomization["configMapGenerator"][0]["files"]];
        for file in lists.into_iter().filter_map(Value::as_array).flatten().map(|it| it.as_str().unwrap()) {
            let path = if file == "../config" { "config".to_owned() } else { format!("{folder}{file}") };
            assert!(self::folder().join(&path).exists(), "{folder}kustomization.yaml names {file}");
            named.push(path);
        }
    }
    for component in ["scaling", "monitoring"] {
        assert!(text("deploy/kubernetes/kustomization.yaml").contains(&format!("\n#  - {component}\n")));
    }
    for file in ["workers.yaml", "disruption.yaml", "network.yaml"] {
        assert!(named.iter().any(|it| it == file), "{file}");
    }
}

#[test]
fn the_image_is_of_this_version() {
    for file in ["kustomization.yaml", "init/kustomization.yaml"] {
        assert_eq!(document(file)["images"][0]["newTag"], env!("CARGO_PKG_VERSION"), "{file}");
    }
}
