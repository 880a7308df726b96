//! The six AI providers, on one port of this machine: each uses its own format, records its calls, and
//! answers as the test says.

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

/// Fake providers, stopped when this is dropped.
pub struct FakeProviders {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

/// A call that was made.
#[derive(Clone, Debug)]
pub struct Call {
    pub provider: Provider,
    pub path: String,
    /// With names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Value,
}

/// Counters that can be waited for.
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
    /// Starts providers that answer everything with `An answer to: ` and the prompt.
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

    /// Makes the server call these providers, all six, with a key each.
    pub fn configure(&self, config: &mut Config) {
        for &provider in Provider::ALL {
            let one = of(&mut config.providers, provider);
            one.base_url = self.base_url(provider);
            one.api_key = Some(Secret::new(key(provider)));
            one.timeout_seconds = 30;
        }
    }

    /// Makes the program call these providers, like [`FakeProviders::configure`].
    pub fn configure_program(&self, command: &mut Command) {
        for &provider in Provider::ALL {
            let prefix = format!("TENANTRY_PROVIDERS__{}", provider.as_str());
            let url = self.base_url(provider);
            command
                .env(format!("{prefix}__API_KEY"), key(provider))
                .env(format!("{prefix}__BASE_URL"), url.as_str());
        }
    }

    /// Returns the base URL of the provider.
    pub fn base_url(&self, provider: Provider) -> Url {
        let url = format!("http://{}/{}", self.address, name(provider));
        Url::parse(&url).expect("a URL")
    }

    /// Sets the provider's next answers, in order. After them, the default applies again.
    pub fn script(&self, provider: Provider, answers: impl IntoIterator<Item = Answer>) {
        let mut scripts = self.shared.scripts.lock().expect("no panic");
        scripts.entry(provider).or_default().extend(answers);
    }

    /// Sets the default for calls that no script covers.
    pub fn otherwise(&self, answer: impl Fn(Provider, &str) -> Answer + Send + Sync + 'static) {
        *self.shared.otherwise.lock().expect("no panic") = Arc::new(answer);
    }

    /// From now on, makes every call wait until it is released.
    pub fn hold(&self) {
        *self.shared.gate.lock().expect("no panic") = Some(Arc::new(Semaphore::new(0)));
    }

    /// Lets that many calls pass, waiting ones first.
    pub fn release(&self, calls: usize) {
        let gate = self.shared.gate.lock().expect("no panic");
        gate.as_ref().expect("calls are held").add_permits(calls);
    }

    /// Lets all calls pass, waiting and future ones.
    pub fn open(&self) {
        let gate = self.shared.gate.lock().expect("no panic").take();
        gate.expect("calls are held").close();
    }

    /// Returns every call so far, in the order of arrival.
    pub fn all_calls(&self) -> Vec<Call> {
        self.shared.calls.lock().expect("no panic").clone()
    }

    /// Returns the calls to this provider.
    pub fn calls(&self, provider: Provider) -> Vec<Call> {
        let mut calls = self.all_calls();
        calls.retain(|call| call.provider == provider);
        calls
    }

    /// Waits until that many calls have arrived since the start.
    pub async fn arrived(&self, calls: usize) {
        self.wait_for(|counts| counts.arrived >= calls).await;
    }

    /// Waits until the client has abandoned that many calls without waiting for the response.
    pub async fn cancelled(&self, calls: usize) {
        self.wait_for(|counts| counts.cancelled >= calls).await;
    }

    /// Returns the maximum number of concurrent calls to the provider so far.
    pub fn most_at_once(&self, provider: Provider) -> usize {
        let counts = self.shared.counts.borrow();
        counts.most.get(&provider).copied().unwrap_or_default()
    }

    /// Returns the maximum number of concurrent calls to all providers together so far.
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
    /// Returns the header of that name, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the prompt.
    pub fn prompt(&self) -> &str {
        let prompt = &self.body["messages"][0]["content"];
        prompt.as_str().unwrap_or_default()
    }
}

/// Returns the key that the provider is configured with.
pub fn key(provider: Provider) -> String {
    format!("test/{}+key=", name(provider))
}

/// Returns the provider's configuration.
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

/// Returns the first segment of the provider's paths.
fn name(provider: Provider) -> String {
    provider.as_str().to_lowercase()
}
