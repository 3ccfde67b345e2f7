//! Events, as any source may publish them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use suppressd::codec::event::Body;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(body) = Body::parse(bytes) {
        drop(body.canonical());
        drop(body.event().map(|event| event.event_id.len()));
    }
});
