//! What an import leaves beside its file: the refused lines, and how far it came.
//!
//! Both are only for the next run and for people; neither holds a value of the file. The state is put in place
//! whole, the list of refused lines is cut back to where the state says, so that no line is in it twice.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::NotImported;
use crate::bulk::State;

/// How often the state is written.
const KEEP_EVERY: Duration = Duration::from_millis(250);

/// A state is a few hundred bytes; what is larger is none.
const STATE_BYTES_MAX: u64 = 64 << 10;

/// Only the operator needs them.
const MODE: u32 = 0o600;

/// The files beside a file.
pub(super) struct Beside {
    state_path: PathBuf,
    rejected_path: PathBuf,
    rejected: Option<File>,
    kept_at: Instant,
}

/// A line that was refused.
#[derive(Serialize)]
struct Rejected<'a> {
    line: u64,
    rule: &'a str,
}

impl Beside {
    pub(super) fn of(path: &Path) -> Self {
        let with = |ending: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        Self {
            state_path: with(".import-state.json"),
            rejected_path: with(".rejected.ndjson"),
            rejected: None,
            kept_at: Instant::now(),
        }
    }

    /// How far an earlier run came, if it says so.
    pub(super) fn state(&self) -> Option<State> {
        let about = fs::metadata(&self.state_path).ok()?;
        (about.len() <= STATE_BYTES_MAX).then(|| State::read(&fs::read(&self.state_path).ok()?))?
    }

    /// Begins, or goes on. Fails before anything is imported if nothing can be written here.
    pub(super) fn begin(mut self, state: &State) -> Result<Self, NotImported> {
        let begun = if state.line == 0 {
            match fs::remove_file(&self.rejected_path) {
                Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(fault),
                _ => Ok(()),
            }
        } else {
            self.cut_back(state.rejected_bytes)
        };
        begun.map_err(|fault| unwritable(&self.rejected_path, &fault))?;
        self.keep(state)?;
        Ok(self)
    }

    fn cut_back(&mut self, bytes: u64) -> io::Result<()> {
        if bytes > 0 {
            let mut file = options().open(&self.rejected_path)?;
            file.set_len(bytes)?;
            file.seek(SeekFrom::End(0))?;
            self.rejected = Some(file);
        }
        Ok(())
    }

    /// Everything up to the state's line is done; these lines were refused.
    pub(super) fn done(&mut self, state: &mut State, refused: &[(u64, String)]) -> Result<(), NotImported> {
        if !refused.is_empty() {
            let mut text = Vec::new();
            for (line, rule) in refused {
                serde_json::to_writer(&mut text, &Rejected { line: *line, rule }).expect("a Vec takes bytes");
                text.push(b'\n');
            }
            self.reject(&text).map_err(|fault| unwritable(&self.rejected_path, &fault))?;
            state.rejected_bytes += text.len() as u64;
        }
        if self.kept_at.elapsed() >= KEEP_EVERY {
            self.keep(state)?;
        }
        Ok(())
    }

    fn reject(&mut self, text: &[u8]) -> io::Result<()> {
        if self.rejected.is_none() {
            self.rejected = Some(options().truncate(true).open(&self.rejected_path)?);
        }
        self.rejected.as_mut().map_or(Ok(()), |file| file.write_all(text))
    }

    /// Writes the state down.
    pub(super) fn keep(&mut self, state: &State) -> Result<(), NotImported> {
        self.kept_at = Instant::now();
        let mut aside = self.state_path.clone().into_os_string();
        aside.push(".partial");
        let written = options()
            .truncate(true)
            .open(&aside)
            .and_then(|mut file| file.write_all(&state.write()))
            .and_then(|()| fs::rename(&aside, &self.state_path));
        written.map_err(|fault| unwritable(&self.state_path, &fault))
    }

    /// A run that ended before its first line was in leaves no state behind.
    pub(super) fn forget_nothing(&self) {
        if self.state().is_some_and(|state| state.line == 0) {
            // If even this fails, the state says that nothing is done.
            let _ = fs::remove_file(&self.state_path);
        }
    }

    /// The file is imported: there is nothing to go on with.
    pub(super) fn finish(self) -> Result<(), NotImported> {
        fs::remove_file(&self.state_path).map_err(|fault| unwritable(&self.state_path, &fault))
    }
}

fn options() -> fs::OpenOptions {
    let mut options = File::options();
    options.write(true).create(true).mode(MODE);
    options
}

fn unwritable(path: &Path, fault: &io::Error) -> NotImported {
    NotImported::Beside(format!("{}: cannot be written beside the file: {fault}", path.display()))
}
