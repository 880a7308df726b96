//! The six AI providers, on one port of this machine: each speaks its own format, keeps what it is
//! asked, and answers what the test says.

mod answer;
mod connection;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tenantry::config::{Config, Provider as ProviderConfig, Providers, Secret};
use tenantry::models::provider::Provider;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use url::Url;

use super::wait::PATIENCE;
pub use answer::Answer;

/// The providers, until they are dropped.
pub struct FakeProviders {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

/// One call that was made.
#[derive(Clone, Debug)]
pub struct Call {
    pub provider: Provider,
    pub path: String,
    /// By name in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Value,
}

/// What is counted, of which one can wait for a change.
#[derive(Default)]
struct Counts {
    arrived: usize,
    cancelled: usize,
    under_way: BTreeMap<Provider, usize>,
    most: BTreeMap<Provider, usize>,
    most_in_all: usize,
}

type Otherwise = Arc<dyn Fn(Provider, &str) -> Answer + Send + Sync>;

struct Shared {
    calls: Mutex<Vec<Call>>,
    scripts: Mutex<BTreeMap<Provider, VecDeque<Answer>>>,
    otherwise: Mutex<Otherwise>,
    gate: Mutex<Option<Arc<Semaphore>>>,
    counts: watch::Sender<Counts>,
}

impl FakeProviders {
    /// Providers that answer everything with `An answer to: ` and the prompt.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            calls: Mutex::default(),
            scripts: Mutex::default(),
            otherwise: Mutex::new(Arc::new(|_, prompt| {
                Answer::says(format!("An answer to: {prompt}"))
            })),
            gate: Mutex::default(),
            counts: watch::Sender::default(),
        });
        let accepting = tokio::spawn(connection::accept(listener, shared.clone()));
        Self {
            address,
            shared,
            accepting,
        }
    }

    /// Makes the server call these, all six, with a key each.
    pub fn configure(&self, config: &mut Config) {
        for &provider in Provider::ALL {
            let one = of(&mut config.providers, provider);
            one.base_url = self.base_url(provider);
            one.api_key = Some(Secret::new(key(provider)));
            one.timeout_seconds = 30;
        }
    }

    /// The same of the program.
    pub fn configure_program(&self, command: &mut Command) {
        for &provider in Provider::ALL {
            let prefix = format!("TENANTRY_PROVIDERS__{}", provider.as_str());
            let url = self.base_url(provider);
            command
                .env(format!("{prefix}__API_KEY"), key(provider))
                .env(format!("{prefix}__BASE_URL"), url.as_str());
        }
    }

    /// Where the provider is.
    pub fn base_url(&self, provider: Provider) -> Url {
        let url = format!("http://{}/{}", self.address, name(provider));
        Url::parse(&url).expect("a URL")
    }

    /// What the provider answers next, and after that; then again what it answers otherwise.
    pub fn script(&self, provider: Provider, answers: impl IntoIterator<Item = Answer>) {
        let mut scripts = self.shared.scripts.lock().expect("no panic");
        scripts.entry(provider).or_default().extend(answers);
    }

    /// What they answer to whatever is not in a script.
    pub fn otherwise(&self, answer: impl Fn(Provider, &str) -> Answer + Send + Sync + 'static) {
        *self.shared.otherwise.lock().expect("no panic") = Arc::new(answer);
    }

    /// From now on every call waits until it is released.
    pub fn hold(&self) {
        *self.shared.gate.lock().expect("no panic") = Some(Arc::new(Semaphore::new(0)));
    }

    /// Lets so many calls pass, those that wait first.
    pub fn release(&self, calls: usize) {
        let gate = self.shared.gate.lock().expect("no panic");
        gate.as_ref().expect("calls are held").add_permits(calls);
    }

    /// Lets all calls pass, those that wait and those to come.
    pub fn open(&self) {
        let gate = self.shared.gate.lock().expect("no panic").take();
        gate.expect("calls are held").close();
    }

    /// Every call so far, in the order of arrival.
    pub fn all_calls(&self) -> Vec<Call> {
        self.shared.calls.lock().expect("no panic").clone()
    }

    /// The calls of this provider.
    pub fn calls(&self, provider: Provider) -> Vec<Call> {
        let mut calls = self.all_calls();
        calls.retain(|call| call.provider == provider);
        calls
    }

    /// Waits until so many calls have arrived since the start.
    pub async fn arrived(&self, calls: usize) {
        self.wait_for(|counts| counts.arrived >= calls).await;
    }

    /// Waits until the client has gone away from so many calls without waiting for the answer.
    pub async fn cancelled(&self, calls: usize) {
        self.wait_for(|counts| counts.cancelled >= calls).await;
    }

    /// How many calls of the provider were under way at the same time, at most.
    pub fn most_at_once(&self, provider: Provider) -> usize {
        let counts = self.shared.counts.borrow();
        counts.most.get(&provider).copied().unwrap_or_default()
    }

    /// How many calls of all together were under way at the same time, at most.
    pub fn most_at_once_in_all(&self) -> usize {
        self.shared.counts.borrow().most_in_all
    }

    async fn wait_for(&self, holds: impl FnMut(&Counts) -> bool) {
        let mut counts = self.shared.counts.subscribe();
        let waited = tokio::time::timeout(PATIENCE, counts.wait_for(holds)).await;
        waited.expect("it happens in time").expect("it is counted");
    }
}

impl Drop for FakeProviders {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Call {
    /// The header of that name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// What was asked.
    pub fn prompt(&self) -> &str {
        let prompt = &self.body["messages"][0]["content"];
        prompt.as_str().unwrap_or_default()
    }
}

/// The key that the provider is configured with.
pub fn key(provider: Provider) -> String {
    format!("test/{}+key=", name(provider))
}

/// Where the provider is configured.
pub fn of(config: &mut Providers, provider: Provider) -> &mut ProviderConfig {
    match provider {
        Provider::Openai => &mut config.openai,
        Provider::Anthropic => &mut config.anthropic,
        Provider::Google => &mut config.google,
        Provider::Perplexity => &mut config.perplexity,
        Provider::Mistral => &mut config.mistral,
        Provider::Cohere => &mut config.cohere,
    }
}

/// The first part of its paths.
fn name(provider: Provider) -> String {
    provider.as_str().to_lowercase()
}
