//! The container image, as far as it can be judged without an engine that builds it: what its build is given is enough
//! to build the program.

use std::path::{Component, Path};
use std::process::Command;

use tempfile::TempDir;

use crate::{done, top};

fn dockerfile() -> String {
    std::fs::read_to_string(top().join("deploy/Dockerfile")).unwrap()
}

/// What the build's stage copies, out of the repository.
fn copied() -> Vec<String> {
    let text = dockerfile();
    let (build, _) = text.split_once("\nFROM scratch\n").expect("what ships is the last stage");
    let lines = build.lines().filter_map(|line| line.strip_prefix("COPY "));
    let words = lines.flat_map(|line| {
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        words[..words.len() - 1].to_vec()
    });
    words.collect()
}

#[test]
fn cargo_finds_everything_that_it_is_told_of_in_the_images_build() {
    let directory = TempDir::new().unwrap();
    for path in copied() {
        done(Command::new("cp").arg("-r").arg(top().join(path)).arg(directory.path()));
    }
    let mut metadata = Command::new(env!("CARGO"));
    metadata.args(["metadata", "--no-deps", "--offline", "--format-version=1"]).current_dir(directory.path());
    assert!(done(&mut metadata).contains("\"name\":\"suppressd\""));
}

#[test]
fn whatever_the_program_includes_is_in_the_images_build() {
    let copied = copied();
    let mut open = vec![top().join("src")];
    let mut included = 0;
    while let Some(path) = open.pop() {
        // What only tests include is not needed there.
        if path.file_stem().is_some_and(|name| name == "tests") {
            continue;
        }
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let text = text.split("#[cfg(test)]").next().unwrap();
        for file in text.split("include_str!(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let place = normal(&path.parent().unwrap().join(file));
            let place = place.strip_prefix(top().to_str().unwrap()).unwrap().trim_start_matches('/');
            let first = place.split('/').next().unwrap();
            assert!(copied.iter().any(|it| it == first), "{} includes {place}", path.display());
            included += 1;
        }
    }
    assert!(included > 0, "nothing is included: this test looks in the wrong place");
}

/// Without `..`.
fn normal(path: &Path) -> String {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.iter().collect::<std::path::PathBuf>().display().to_string()
}

#[test]
fn what_is_copied_is_not_kept_from_the_build() {
    let kept = std::fs::read_to_string(top().join("deploy/Dockerfile.dockerignore")).unwrap();
    for path in copied() {
        assert!(kept.lines().any(|line| line.strip_prefix('!') == Some(&path)), "{path}");
    }
}
