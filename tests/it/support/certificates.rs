//! Certificates for the servers of tests and for us, made with openssl as an operator makes them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::leash;

/// Each as `NAME.pem` with its key in `NAME.key`:
///
/// | name | |
/// |---|---|
/// | `ca` | an authority |
/// | `stranger` | another |
/// | `server` | for this machine, of `ca` |
/// | `expired` | the same, but its time is over |
/// | `elsewhere` | of `ca`, for another name |
/// | `client` | ours, of `ca` |
/// | `strange` | for us and this machine, of `stranger` |
const SCRIPT: &str = r#"
set -eu
curve='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
authority() {
  openssl req -x509 $curve -days 2 -subj "/CN=$1" -keyout "$1.key" -out "$1.pem" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign
}
sign() { # NAME AUTHORITY DAYS ALTERNATIVE-NAMES
  openssl req $curve -subj "/CN=$1" -keyout "$1.key" -out "$1.csr"
  printf 'subjectAltName=%s\nbasicConstraints=CA:FALSE\n' "$4" > "$1.ext"
  openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days "$3" \
    -extfile "$1.ext" -out "$1.pem"
}
here=DNS:localhost,IP:127.0.0.1
authority ca
authority stranger
sign server ca 2 "$here"
sign expired ca -1 "$here"
sign elsewhere ca 2 DNS:mq.example.kz
sign client ca 2 DNS:suppressd
sign strange stranger 2 "$here"
"#;

/// The directory of all of them, one for the process.
pub(crate) fn directory() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let directory = leash::directory("certificates-");
        make(&directory);
        directory
    })
}

/// The path of a certificate.
pub(crate) fn certificate(name: &str) -> String {
    directory().join(format!("{name}.pem")).display().to_string()
}

/// The path of its key.
pub(crate) fn key(name: &str) -> String {
    directory().join(format!("{name}.key")).display().to_string()
}

/// Makes all of them in a directory.
pub(super) fn make(directory: &Path) {
    let run = Command::new("sh").args(["-c", SCRIPT]).current_dir(directory).output();
    let run = run.expect("sh can be run");
    assert!(run.status.success(), "openssl: {}", String::from_utf8_lossy(&run.stderr));
}
