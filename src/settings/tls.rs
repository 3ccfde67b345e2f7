//! `ca_file`, `cert_file` and `key_file`: by what a server is known, and we are known to it.
//!
//! Whether they hold what they should, who connects finds out, still before anything is connected to.

use std::net::IpAddr;

use url::Url;

use super::secret::{self, Secret};
use super::section::Section;
use super::values::file;
use crate::tls::{Identity, TlsFiles};

/// The files of a section whose URL has this scheme; `secured` is the one that they are for.
pub(super) fn take(section: &mut Section<'_>, scheme: &str, secured: &str) -> TlsFiles {
    let given = ["ca_file", "cert_file", "key_file"].map(|key| section.has(key).then_some(key));
    let ca_file = section.take("ca_file", file);
    let cert_file = section.take("cert_file", file);
    let key_file = section.take("key_file", secret::guarded_file);
    if scheme != secured {
        for key in given.into_iter().flatten() {
            let problem = format!("is for {secured}:// alone: write that in the url, or remove it");
            section.refuse(&[key], "", problem);
        }
    }
    let [_, cert, key] = given;
    if cert.is_some() != key.is_some() {
        let alone = cert.or(key).unwrap_or_default();
        section.refuse(&[alone], "", "goes with another: set cert_file and key_file, or neither");
    }
    let identity = cert_file.zip(key_file).map(|(cert_file, key_file)| Identity { cert_file, key_file });
    TlsFiles { ca_file, identity }
}

/// A warning if passwords and identifiers leave this machine unprotected.
pub(super) fn in_the_clear(key: &str, url: &Secret, secured: &str) -> Option<String> {
    let parsed = Url::parse(url.reveal()).ok()?;
    let host = parsed.host_str()?.trim_matches(['[', ']']);
    let leaves = parsed.scheme() != secured && !host.is_empty() && !is_this_machine(host);
    leaves.then(|| unprotected(key, secured))
}

/// The warning itself.
pub(super) fn unprotected(key: &str, secured: &str) -> String {
    format!(
        "{key}: passwords and people's identifiers leave this machine unprotected; write {secured}:// where others \
         share the network"
    )
}

/// Whether a host is reached without a network.
pub(super) fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// What a URL begins with.
pub(super) fn scheme_of(url: &Secret) -> &str {
    url.reveal().split_once(':').map_or("", |(scheme, _)| scheme)
}
