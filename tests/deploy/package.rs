//! The Debian package: built by `deploy/package` of the program under test, looked into, installed below a directory
//! and purged again.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::{PROGRAM, done, key_in, top};

/// The package, built once.
fn package() -> &'static Path {
    static BUILT: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_kept, path) = BUILT.get_or_init(|| {
        let directory = TempDir::new().unwrap();
        let path = done(&mut build(directory.path(), &["--allow-fail-points"]));
        (directory, PathBuf::from(path.trim()))
    });
    path
}

fn build(out: &Path, more: &[&str]) -> Command {
    let mut build = Command::new(top().join("deploy/package"));
    build.arg("--out").arg(out).args(["--binary", PROGRAM]).args(more);
    build.env("DEBFULLNAME", "A Test").env("DEBEMAIL", "test@example.kz");
    // A program for tests is large, and nobody downloads it.
    build.env("DPKG_DEB_COMPRESSOR_TYPE", "gzip").env("DPKG_DEB_COMPRESSOR_LEVEL", "1");
    build
}

/// What the package would put onto a machine.
fn unpacked() -> TempDir {
    let root = TempDir::new().unwrap();
    done(Command::new("dpkg-deb").arg("-x").arg(package()).arg(root.path()));
    root
}

#[test]
fn the_package_holds_what_an_operator_looks_for() {
    let contents = done(Command::new("dpkg-deb").arg("--contents").arg(package()));
    for (mode, path) in [
        ("-rwxr-xr-x", "/usr/bin/suppressd"),
        ("-rw-r--r--", "/lib/systemd/system/suppressd.service"),
        ("-rw-r--r--", "/usr/lib/sysusers.d/suppressd.conf"),
        ("-rw-r--r--", "/etc/suppressd/suppressd.toml"),
        ("-rw-r--r--", "/etc/suppressd/kazakhstan.toml"),
        ("-rw-r--r--", "/usr/share/man/man1/suppressd.1.gz"),
        ("-rw-r--r--", "/usr/share/bash-completion/completions/suppressd"),
        ("-rw-r--r--", "/usr/share/zsh/vendor-completions/_suppressd"),
        ("-rw-r--r--", "/usr/share/fish/vendor_completions.d/suppressd.fish"),
        ("-rw-r--r--", "/usr/share/doc/suppressd/README.Debian"),
        ("-rw-r--r--", "/usr/share/doc/suppressd/deploy/RUNBOOK.md"),
        ("-rw-r--r--", "/usr/share/doc/suppressd/deploy/contract/asyncapi.yaml"),
        ("-rw-r--r--", "/usr/share/doc/suppressd/examples/sender.py"),
        ("-rwxr-xr-x", "/usr/share/suppressd/make-secrets"),
    ] {
        let line = contents.lines().find(|line| line.ends_with(&format!(" .{path}")));
        assert!(line.is_some_and(|line| line.starts_with(mode)), "{path}: {line:?} in\n{contents}");
    }
    assert!(!contents.contains(".key") && !contents.contains("password"), "{contents}");
    let conffiles = done(Command::new("dpkg-deb").arg("-I").arg(package()).arg("conffiles"));
    assert_eq!(conffiles, "/etc/suppressd/kazakhstan.toml\n/etc/suppressd/suppressd.toml\n");
}

#[test]
fn the_packaged_program_runs_and_takes_the_packaged_settings() {
    let root = unpacked();
    let program = root.path().join("usr/bin/suppressd");
    let version = done(Command::new(&program).arg("--version"));
    assert!(version.starts_with(&format!("suppressd {}", env!("CARGO_PKG_VERSION"))), "{version}");
    let settings = ["suppressd.toml", "kazakhstan.toml"].map(|it| root.path().join("etc/suppressd").join(it));
    let mut check = Command::new(&program);
    check.arg("check-config").arg("--config").arg(&settings[0]).arg("--config").arg(&settings[1]);
    let said = done(check.env("SUPPRESSD__HASHING__KEY_FILES", key_in(root.path())));
    assert_eq!(said, "the configuration is right\n");
}

#[test]
fn what_is_packaged_to_set_servers_up_finds_its_files() {
    let root = unpacked();
    let secrets = root.path().join("secrets");
    done(Command::new(root.path().join("usr/share/suppressd/make-secrets")).arg(&secrets));
    let definitions = std::fs::read_to_string(secrets.join("definitions.json")).unwrap();
    assert!(!definitions.contains("\"password_hash\": \"\""), "a user has no password");
}

#[test]
fn systemd_understands_the_packaged_unit() {
    let root = unpacked();
    let unit = std::fs::read_to_string(root.path().join("lib/systemd/system/suppressd.service")).unwrap();
    assert!(
        unit.starts_with("[Unit]\n"),
        "how to install it by hand is not for who has the package:\n{unit}"
    );
    // systemd looks whether the program is there.
    let program = root.path().join("usr/bin/suppressd").display().to_string();
    let here = root.path().join("suppressd.service");
    std::fs::write(&here, unit.replace("/usr/bin/suppressd", &program)).unwrap();
    let verified = Command::new("systemd-analyze").args(["--man=no", "verify"]).arg(&here).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stderr);
    let ours: Vec<_> = said.lines().filter(|line| line.contains("suppressd")).collect();
    assert!(ours.is_empty(), "{ours:#?}");
}

/// A directory that dpkg takes for a machine. Scripts of packages run outside of it and are told where it is.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let admin = root.path().join("var/lib/dpkg");
        std::fs::create_dir_all(admin.join("info")).unwrap();
        std::fs::create_dir_all(admin.join("updates")).unwrap();
        std::fs::create_dir_all(root.path().join("etc/systemd/system")).unwrap();
        std::fs::write(admin.join("status"), "").unwrap();
        Self(root)
    }

    fn dpkg(&self, arguments: &[&str]) -> String {
        let dpkg = ["dpkg", "--force-script-chrootless", "--force-depends", "--force-not-root"];
        // Without being root, one is root of a user namespace.
        let root = rustix::process::geteuid().is_root();
        let mut command = if root { Command::new("env") } else { Command::new("unshare") };
        command.args((!root).then_some("--map-root-user")).args(dpkg);
        done(command.arg(format!("--root={}", self.0.path().display())).args(arguments))
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn enabled(&self) -> bool {
        self.path("etc/systemd/system/multi-user.target.wants/suppressd.service").is_symlink()
    }
}

#[test]
fn installing_makes_the_user_and_starts_nothing_and_purging_leaves_no_secret() {
    let machine = Machine::new();
    let package = package().display().to_string();
    machine.dpkg(&["-i", &package]);
    let users = std::fs::read_to_string(machine.path("etc/passwd")).unwrap();
    assert!(users.lines().any(|line| line.starts_with("suppressd:")), "{users}");
    assert!(!machine.enabled(), "nobody has configured it yet");

    let key = key_in(&machine.path("etc/suppressd"));
    let settings = machine.path("etc/suppressd/suppressd.toml");
    let mine = std::fs::read_to_string(&settings).unwrap() + "# mine\n";
    std::fs::write(&settings, &mine).unwrap();
    done(Command::new("systemctl").arg(format!("--root={}", machine.0.path().display())).args([
        "--quiet",
        "enable",
        "suppressd.service",
    ]));
    assert!(machine.enabled());

    machine.dpkg(&["-i", &package]);
    assert_eq!(std::fs::read_to_string(&settings).unwrap(), mine, "what an operator wrote stays");
    assert!(machine.enabled() && key.exists(), "an upgrade leaves all of it");

    machine.dpkg(&["-r", "suppressd"]);
    assert!(!machine.enabled(), "its link would lead nowhere");
    assert!(key.exists() && settings.exists(), "removing is not purging");

    machine.dpkg(&["-P", "suppressd"]);
    assert!(!machine.path("etc/suppressd").exists(), "a secret was left behind");
}

#[test]
fn a_program_with_fail_points_is_not_packed() {
    let directory = TempDir::new().unwrap();
    // One that says what such a program says, whatever this one was built with.
    let program = directory.path().join("suppressd");
    let says = format!("#!/bin/sh\necho 'suppressd {} WITH FAIL POINTS'\n", env!("CARGO_PKG_VERSION"));
    std::fs::write(&program, says).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let refused = build(directory.path(), &[]).arg("--binary").arg(&program).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!((refused.status.code(), said.contains("fail points")), (Some(65), true), "{said}");
}
