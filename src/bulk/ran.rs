//! What a run of an import knows of itself: the sums, and how far it came.
//!
//! The state is written beside the file while it is imported, so that a run that was killed goes on where its last
//! confirmed line was. It names the file by its content: of another content it says nothing. It is never needed
//! for being right, because the same lines again change nothing.

use std::collections::BTreeMap;
use std::io::{self, Read};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::codec::record::hex;
use crate::domain::words::EventKind;

/// The sums of a run. Every line that is read is in exactly one of `new`, `known`, `superseded`,
/// `not_an_opt_out`, `lifts_only` and `refused`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Lines that hold something.
    pub read: u64,
    /// Lines that restrict somebody somewhere who was not.
    pub new: u64,
    /// Lines of people who are restricted already wherever the line holds.
    pub known: u64,
    /// Lines that something later counts instead of.
    pub superseded: u64,
    /// Lines of people who did not opt out.
    pub not_an_opt_out: u64,
    /// Lines of exports that only lift.
    pub lifts_only: u64,
    /// Lines that cannot be taken.
    pub refused: u64,
    /// Lines whose scope was widened because it names something unknown.
    pub widened: u64,
    /// Lines on which some identifier could not be read, while others could.
    pub ignoring: u64,
    /// Statements of exports that lift: none is imported.
    pub lifts: u64,
    /// Lines that say anything which the list does not hold yet: these are written to the ledger.
    pub written: u64,
    /// What new lines say, by its kind.
    pub kinds: BTreeMap<String, u64>,
}

impl Counts {
    /// Counts what a line brings.
    pub fn kind(&mut self, kind: EventKind) {
        *self.kinds.entry(kind.as_str().to_owned()).or_default() += 1;
    }

    /// The sums of both.
    pub fn add(&mut self, more: &Self) {
        self.read += more.read;
        self.new += more.new;
        self.written += more.written;
        self.known += more.known;
        self.superseded += more.superseded;
        self.not_an_opt_out += more.not_an_opt_out;
        self.lifts_only += more.lifts_only;
        self.refused += more.refused;
        self.widened += more.widened;
        self.ignoring += more.ignoring;
        self.lifts += more.lifts;
        for (kind, count) in &more.kinds {
            *self.kinds.entry(kind.clone()).or_default() += count;
        }
    }
}

/// How far a run came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The file, by its content.
    pub file: String,
    /// The format that it is read in.
    pub format: String,
    /// Since when holds what says no time: the same after every interruption.
    pub undated: Timestamp,
    /// Everything up to the line that begins here is in the ledger.
    pub line: u64,
    /// The sums up to there.
    pub counts: Counts,
    /// How long the list of refused lines was then.
    pub rejected_bytes: u64,
}

impl State {
    /// Reads a state; what is none says nothing.
    pub fn read(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    /// As it stands in its file.
    pub fn write(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).expect("a state has only text keys");
        text.push(b'\n');
        text
    }
}

/// The SHA-256 of a file, in hexadecimal.
pub fn fingerprint(mut file: impl Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hex(&hash.finalize())),
            Ok(count) => hash.update(&buffer[..count]),
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
            Err(fault) => return Err(fault),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_as_it_was_written_and_what_is_none_says_nothing() {
        let mut counts = Counts { read: 3, new: 2, refused: 1, ..Counts::default() };
        counts.kind(EventKind::OptOut);
        counts.add(&counts.clone());
        assert_eq!((counts.read, counts.kinds["opt_out"]), (6, 2));
        let state = State {
            file: "00".into(),
            format: "csv".into(),
            undated: Timestamp::UNIX_EPOCH,
            line: 7,
            counts,
            rejected_bytes: 40,
        };
        assert_eq!(State::read(&state.write()), Some(state));
        assert_eq!(State::read(b"{\"line\": 7}"), None);
    }

    #[test]
    fn a_file_is_named_by_its_sha_256() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(fingerprint(&b"abc"[..]).unwrap(), known);
    }
}
