//! Values that nobody may see: URLs with passwords, passwords, key files.
//!
//! A file of theirs that every user of the machine may open is refused, whatever is in it. They are shown to whoever calls [`Secret::reveal`] and to nobody else; `Debug` hides them and memory
//! is wiped when they go.

use std::fmt;
use std::fs::Metadata;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use config::Value;
use url::Url;
use zeroize::{Zeroize, Zeroizing};

use super::values::{PATH_BYTES_MAX, Parsed, file, text};

/// Longer than any key or password.
const FILE_BYTES_MAX: u64 = 4096;
const URL_BYTES_MAX: usize = 2048;
/// Read, write or execute for everybody.
const MODE_OF_OTHERS: u32 = 0o007;

/// A text that is not printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one who connects with it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A URL of one of these schemes; it names a host unless it is a socket's.
pub(super) fn url(schemes: &'static [&'static str]) -> impl Fn(&Value) -> Parsed<Secret> {
    move |value| {
        let text = text(URL_BYTES_MAX)(value)?;
        let url = Url::parse(&text).map_err(|fault| format!("is not a URL: {fault}"))?;
        if !schemes.contains(&url.scheme()) {
            return Err(format!("must be a URL that begins with {}://", schemes.join(":// or ")).into());
        }
        if url.host_str().unwrap_or_default().is_empty() && !url.scheme().ends_with("unix") {
            return Err("is a URL without a host".into());
        }
        Ok(Secret::new(text))
    }
}

/// The password in the file that the value names.
pub(super) fn password_in_file(value: &Value) -> Parsed<Secret> {
    let path = text(PATH_BYTES_MAX)(value)?;
    let text = read_file(Path::new(&path))?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() || password.contains(char::is_control) {
        return Err("must name a file with the password on its only line".into());
    }
    Ok(Secret::new(password))
}

/// A file with a secret that somebody else reads.
pub(super) fn guarded_file(value: &Value) -> Parsed<PathBuf> {
    let path = file(value)?;
    let about = std::fs::metadata(&path).map_err(|fault| format!("the file cannot be found: {fault}"))?;
    refuse_exposed(&about)?;
    Ok(path)
}

/// Whoever can log in to the machine could take a secret that everybody may open.
fn refuse_exposed(about: &Metadata) -> Result<(), String> {
    if about.permissions().mode() & MODE_OF_OTHERS == 0 {
        return Ok(());
    }
    Err("every user of this machine may open the file; take that away: chmod o= FILE".to_owned())
}

/// The text of a file that holds a secret. The problem never names the path: it might be the secret.
pub(super) fn read_file(path: &Path) -> Result<Zeroizing<String>, String> {
    let about = std::fs::metadata(path).map_err(|fault| format!("the file cannot be found: {fault}"))?;
    if !about.is_file() {
        return Err("must name a plain file".to_owned());
    }
    refuse_exposed(&about)?;
    let mut text = Zeroizing::new(String::new());
    let file = std::fs::File::open(path).map_err(|fault| format!("the file cannot be opened: {fault}"))?;
    file.take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|_| "the file cannot be read as text".to_owned())?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("the file is larger than {FILE_BYTES_MAX} bytes; it holds something else"));
    }
    Ok(text)
}
