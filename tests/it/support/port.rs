//! Ports that stay free while nobody listens on them.

use std::io;
use std::net::TcpListener;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// The first port: above those of well-known services.
const FIRST: u32 = 10_000;
/// How many ports a process uses before it reaches those of the next.
const EACH: u32 = 16;

/// Returns a loopback port that nobody listens on, and that nobody else is given: the system assigns
/// ports to connections, and to listeners on any port, from a higher range, and other tests use other
/// ports.
///
/// # Errors
/// If no port is free.
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

/// Returns the first port that the system assigns. If that is unknown, or too low to leave room below,
/// returns the usual one.
fn drawn_from() -> u32 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let range = range.unwrap_or_default();
    let first = range.split_whitespace().next();
    let first = first.and_then(|first| first.parse().ok());
    first
        .filter(|&first| first > FIRST + 1_000)
        .unwrap_or(32_768)
}
