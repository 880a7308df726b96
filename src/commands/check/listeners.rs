//! Checks of the listen addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::Client;
use tenantry::config::Config;
use tenantry::http::{MetricsListener, bind};
use tenantry::start::StartError;

use super::Finding;

/// How long whatever already listens there may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Checks the address for requests.
pub async fn requests(config: &Config, http: &Client) -> Finding {
    let address = config.http.address();
    let bound = bind(config).await.map(drop);
    finding(http, bound, address, "healthz", "ok\n").await
}

/// Checks the address for metrics, if they have their own.
pub async fn metrics(config: &Config, http: &Client) -> Option<Finding> {
    let address = config.metrics.listen?;
    let bound = MetricsListener::bind(config).await.map(drop);
    Some(finding(http, bound, address, "metrics", "tenantry_").await)
}

/// Turns a failed bind into a finding. If one of our servers, recognized by its answer, already listens
/// there, that is no problem.
async fn finding(
    http: &Client,
    bound: Result<(), StartError>,
    address: SocketAddr,
    path: &str,
    says: &str,
) -> Finding {
    let Err(StartError(problem)) = bound else {
        return Ok(format!("{address} is free"));
    };
    let url = format!("http://{}/{path}", reachable(address));
    let asked = async {
        let response = http.get(url).timeout(PATIENCE).send().await?;
        response.text().await
    };
    match asked.await {
        Ok(said) if said.contains(says) => Ok(format!("a server already answers at {address}")),
        Ok(_) | Err(_) => Err(problem),
    }
}

/// An address at which this machine reaches the listener: loopback for an unspecified address.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
