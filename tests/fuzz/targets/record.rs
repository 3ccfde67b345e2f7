//! Ledger records: what can be read is written and read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use suppressd::codec::record;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(entry) = record::read(bytes) {
        let again = record::read(&record::write(&entry)).expect("what was written can be read");
        assert!(again == entry);
    }
});
