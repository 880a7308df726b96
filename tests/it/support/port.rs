//! Ports to leave and to come back to.

use std::io;
use std::net::TcpListener;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// Where they begin: above those of well-known services.
const FIRST: u32 = 10_000;
/// How many a process has before it comes to those of the next.
const EACH: u32 = 16;

/// A port of this machine's own address that nobody listens at, and that nobody is given: the system
/// draws those of connections, and of listeners at any port, from above, and other tests have others.
///
/// # Errors
/// Where there is none.
pub fn port() -> io::Result<u16> {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let (count, first) = (drawn_from() - FIRST, process::id().wrapping_mul(EACH));
    for _ in 0..count {
        let next = first.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(FIRST + next % count).map_err(io::Error::other)?;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::Error::other("no port is free"))
}

/// The first port that the system draws. Where it begins so low that there is no room below, as where it
/// does not say, the usual one.
fn drawn_from() -> u32 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let range = range.unwrap_or_default();
    let first = range.split_whitespace().next();
    let first = first.and_then(|first| first.parse().ok());
    first
        .filter(|&first| first > FIRST + 1_000)
        .unwrap_or(32_768)
}
