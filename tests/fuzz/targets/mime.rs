//! Mail up to the letter: MIME, character sets, quotes. Many times faster than with the decision on it, so that
//! the parsers get most of the tries.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use suppressd::codec::mail::{self, Limits};

/// With an own server whose word counts, and a size that mutations reach.
static LIMITS: LazyLock<Limits> = LazyLock::new(|| Limits {
    authserv_id: Some("mx.bilal.kz".to_owned()),
    mail_bytes_max: 64 << 10,
    ..Limits::default()
});

fuzz_target!(|bytes: &[u8]| {
    drop(mail::read(bytes, &LIMITS));
    drop(mail::identity(bytes));
});
