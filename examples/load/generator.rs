//! Sends requests as fast as they are answered, over a few connections and on one thread.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures_util::future::try_join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::scenario::{Person, Scenario, Tenants};

/// How long requests are sent before they are measured.
const WARM_UP: Duration = Duration::from_secs(2);

/// The durations of requests.
pub struct Measured {
    /// In ascending order.
    times: Vec<Duration>,
    over: Duration,
}

impl Measured {
    /// Takes the durations of requests, and the total time in which they were sent.
    pub fn new(mut times: Vec<Duration>, over: Duration) -> Self {
        times.sort_unstable();
        Self { times, over }
    }

    /// Returns the requests per second.
    pub fn rate(&self) -> f64 {
        self.times.len() as f64 / self.over.as_secs_f64()
    }

    /// Returns the duration that `of_hundred` percent of the requests did not exceed.
    pub fn percentile(&self, of_hundred: usize) -> Duration {
        let last = self.times.len().saturating_sub(1);
        self.times
            .get(last * of_hundred / 100)
            .copied()
            .unwrap_or_default()
    }
}

/// Sends the requests of a scenario for `time`, after a warm-up.
pub async fn run(
    address: SocketAddr,
    tenants: &Tenants,
    scenario: &Scenario,
    time: Duration,
) -> Result<Measured> {
    let begin = Instant::now() + WARM_UP;
    let end = begin + time;
    let people = scenario.people(tenants).iter();
    let all = people.map(|person| send(address, scenario, person, begin, end));
    Ok(Measured::new(try_join_all(all).await?.concat(), time))
}

async fn send(
    address: SocketAddr,
    scenario: &Scenario,
    person: &Person,
    begin: Instant,
    end: Instant,
) -> Result<Vec<Duration>> {
    let mut connection = Connection::open(address).await?;
    let mut times = Vec::new();
    // Names that no other run has used, so that no slug is taken.
    let first = usize::try_from(chrono::Utc::now().timestamp_millis())?;
    for nth in first.. {
        let request = scenario.request(person, nth);
        let sent = Instant::now();
        if sent >= end {
            break;
        }
        connection.ask(&request).await?;
        if sent >= begin {
            times.push(sent.elapsed());
        }
    }
    Ok(times)
}

/// A persistent HTTP/1.1 connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Opens a connection.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(64 * 1024),
        })
    }

    /// Sends a request and reads the response, which must be data without errors.
    pub async fn ask(&mut self, request: &[u8]) -> Result<()> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let (body, end) = loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection");
            }
            if let Some(bounds) = bounds(&self.buffer)? {
                break bounds;
            }
        };
        while self.buffer.len() < end {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection");
            }
        }
        let body = &self.buffer[body..end];
        let is_good = body.starts_with(b"{\"data\":{") && !body.ends_with(b"]}");
        if !is_good {
            bail!("{}", String::from_utf8_lossy(&self.buffer));
        }
        Ok(())
    }
}

/// Returns where the body of a response begins and ends, once its head has arrived.
fn bounds(answer: &[u8]) -> Result<Option<(usize, usize)>> {
    let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let body = head + 4;
    let head = std::str::from_utf8(&answer[..head])?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length
        .with_context(|| format!("no length in {head}"))?
        .parse()?;
    Ok(Some((body, body + length)))
}
