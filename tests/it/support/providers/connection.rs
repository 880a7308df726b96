//! The connections: handwritten HTTP, because a proper server cannot misbehave.

use std::io;
use std::sync::Arc;

use serde_json::Value;
use tenantry::models::provider::Provider;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::answer::Rendered;
use super::{Answer, Call, Shared, name};

/// Serves all clients.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        tokio::spawn(async move {
            // A client that disconnects does not concern the test.
            let _ = talk(BufReader::new(stream), &shared).await;
        });
    }
}

/// Reads one call, and responds to it.
async fn talk(mut stream: BufReader<TcpStream>, shared: &Shared) -> io::Result<()> {
    let Some(call) = read(&mut stream).await? else {
        return stream
            .write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .await;
    };
    let (provider, prompt) = (call.provider, call.prompt().to_owned());
    let model = call.body["model"].as_str().unwrap_or_default().to_owned();
    let answer = shared.begin(call);
    let answered = tokio::select! {
        rendered = shared.answer(answer, provider, &model, &prompt) => Some(rendered),
        // The client sends nothing more, so this completes only when it disconnects.
        _ = stream.read_u8() => None,
    };
    // Before the client receives the response and calls again.
    shared.end(provider, answered.is_none());
    match answered {
        None | Some(Rendered::Close) => Ok(()),
        Some(Rendered::Bytes(bytes)) => stream.write_all(&bytes).await,
        Some(Rendered::Stall(bytes)) => {
            stream.write_all(&bytes).await?;
            let _ = stream.read_u8().await;
            shared.counts.send_modify(|counts| counts.cancelled += 1);
            Ok(())
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Call>> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    let mut length = 0;
    loop {
        line.clear();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        let (name, value) = (name.to_lowercase(), value.trim().to_owned());
        if name == "content-length" {
            length = value.parse().map_err(io::Error::other)?;
        }
        headers.push((name, value));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let first = path.trim_start_matches('/').split('/').next();
    let provider = Provider::ALL
        .iter()
        .find(|&&provider| first == Some(&name(provider)));
    Ok(provider.map(|&provider| Call {
        provider,
        path,
        headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    }))
}

impl Shared {
    /// Records the call, and returns the test's answer to it.
    fn begin(&self, call: Call) -> Answer {
        let provider = call.provider;
        let scripted = {
            let mut scripts = self.scripts.lock().expect("no panic");
            scripts.entry(provider).or_default().pop_front()
        };
        let answer = scripted.unwrap_or_else(|| {
            let otherwise = self.otherwise.lock().expect("no panic").clone();
            otherwise(provider, call.prompt())
        });
        self.calls.lock().expect("no panic").push(call);
        self.counts.send_modify(|counts| {
            counts.arrived += 1;
            *counts.under_way.entry(provider).or_default() += 1;
            let (own, all) = (counts.under_way[&provider], counts.under_way.values().sum());
            let most = counts.most.entry(provider).or_default();
            *most = own.max(*most);
            counts.most_in_all = counts.most_in_all.max(all);
        });
        answer
    }

    /// Returns what to send over the wire, once the call is released.
    async fn answer(
        &self,
        answer: Answer,
        provider: Provider,
        model: &str,
        prompt: &str,
    ) -> Rendered {
        let gate = self.gate.lock().expect("no panic").clone();
        if let Some(gate) = gate
            && let Ok(permit) = gate.acquire().await
        {
            permit.forget();
        }
        match answer.render(provider, model, prompt) {
            Some(rendered) => rendered,
            None => std::future::pending().await,
        }
    }

    fn end(&self, provider: Provider, is_cancelled: bool) {
        self.counts.send_modify(|counts| {
            *counts.under_way.entry(provider).or_default() -= 1;
            counts.cancelled += usize::from(is_cancelled);
        });
    }
}
