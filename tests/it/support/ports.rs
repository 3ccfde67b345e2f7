//! Free TCP ports below the range that the kernel gives to outgoing connections, so that a port that was
//! found free is not taken by some client before its server binds it.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 10_240;
const COUNT: u16 = 20_000;

/// A port on 127.0.0.1 that nobody listens on, and that this process has not been given before.
pub(crate) fn free_port() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    // Two test processes at the same time start far apart.
    let start = u16::try_from(std::process::id() % u32::from(COUNT / 100)).expect("below 200") * 100;
    for _ in 0..COUNT {
        let port = FIRST + (start + GIVEN.fetch_add(1, Ordering::Relaxed)) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port from {FIRST} on");
}
