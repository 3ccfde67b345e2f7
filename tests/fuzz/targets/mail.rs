//! Mail, as anybody may send it: from the bytes to the decision. A panic, a hang (`-timeout`) and memory without
//! a bound (`-rss_limit_mb`) are what is looked for, and that the decision does not depend on when it is taken.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use suppressd::codec::mail::{self, Limits};
use suppressd::domain::catalogue::Catalogue;
use suppressd::domain::identifier::Country;
use suppressd::domain::mail::{Own, Reader};
use suppressd::settings::shipped_lexicon;

/// As shipped, but with an own server whose word counts, and a size that mutations reach.
static LIMITS: LazyLock<Limits> = LazyLock::new(|| Limits {
    authserv_id: Some("mx.bilal.kz".to_owned()),
    mail_bytes_max: 64 << 10,
    ..Limits::default()
});

static READER: LazyLock<Reader> = LazyLock::new(|| {
    let own = Own {
        domains: vec!["bilal.kz".to_owned(), "lulla.kz".to_owned()],
        addresses: Vec::new(),
        phones: vec!["+77771113111".to_owned()],
    };
    let brands = ["lulla.kz", "lunafresh.kz", "bilal.kz"].map(str::to_owned).to_vec();
    let country = Country::parse("KZ").expect("Kazakhstan has a numbering plan");
    Reader::new(shipped_lexicon(), own, &Catalogue::new(Vec::new(), brands), country)
});

fuzz_target!(|bytes: &[u8]| {
    let reading = READER.read(&mail::read(bytes, &LIMITS));
    // Twice the time: for the short ones, of which there are more.
    if bytes.len() < 1024 {
        assert!(reading == READER.read(&mail::read(bytes, &LIMITS)), "the same mail was read in two ways");
    }
    drop(mail::identity(bytes));
});
