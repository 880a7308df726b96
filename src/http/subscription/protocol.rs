//! The subprotocol `graphql-transport-ws`, independent of the socket: interpreting the client's
//! messages, and writing the results of operations.
//!
//! <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::run::Output;
use crate::error::ErrorCode;
use crate::http::credentials::Credentials;
use crate::http::params::Params;

/// How many operations of a connection may run at a time.
pub const MOST: usize = 100;
/// The longest id of an operation, in bytes.
const LONGEST_ID: usize = 255;

/// Why the socket is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// The code of the close frame.
    pub code: u16,
    /// What went wrong, for a person to read; at most 123 bytes, as close frames allow no more.
    pub reason: Cow<'static, str>,
}

impl Close {
    const fn new(code: u16, reason: &'static str) -> Self {
        Self {
            code,
            reason: Cow::Borrowed(reason),
        }
    }

    fn invalid(reason: &'static str) -> Self {
        Self::new(4400, reason)
    }

    /// The client offered no supported subprotocol.
    pub const SUBPROTOCOL: Self = Self::new(4406, "Subprotocol not acceptable");
    /// The client did not send `connection_init` in time.
    pub const SIGN_IN: Self = Self::new(4408, "Connection initialisation timeout");
    /// The credentials are not, or no longer, valid.
    pub const FORBIDDEN: Self = Self::new(4403, "Forbidden");
    /// Whether the credentials are valid cannot be determined now.
    pub const UNAVAILABLE: Self = Self::new(1013, "Try again later");
    /// The server is stopping.
    pub const STOPPING: Self = Self::new(1001, "The server is stopping");
    /// A message is too long.
    pub const TOO_LONG: Self = Self::new(1009, "Message too long");
    /// A frame violates RFC 6455.
    pub const PROTOCOL: Self = Self::new(1002, "Protocol error");
    /// A message of text is not UTF-8.
    pub const NOT_UTF8: Self = Self::new(1007, "Not UTF-8");
    /// A message is not text.
    pub const NOT_TEXT: Self = Self::new(4400, "Messages must be text");
}

/// What a client's message asks for.
#[derive(Debug)]
pub enum Action {
    /// Nothing.
    Nothing,
    /// To sign in, with these credentials or, if `None`, those of the request; then to call
    /// [`Protocol::acknowledge`].
    SignIn(Option<Credentials>),
    /// To send a message.
    Send(String),
    /// To run an operation under a key.
    Start(u64, Params),
    /// To stop the operation with this key.
    Stop(u64),
    /// To close the socket.
    Close(Close),
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Received {
    ConnectionInit {
        payload: Option<Map<String, Value>>,
    },
    Ping {
        payload: Option<Map<String, Value>>,
    },
    Pong {
        #[serde(rename = "payload")]
        _payload: Option<Map<String, Value>>,
    },
    Subscribe {
        id: String,
        payload: Map<String, Value>,
    },
    Complete {
        id: String,
    },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Sent<'a, P: Serialize> {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<P>,
    },
    Next {
        id: &'a str,
        payload: P,
    },
    Error {
        id: &'a str,
        payload: P,
    },
    Complete {
        id: &'a str,
    },
}

/// A message without a payload.
type Bare<'a> = Sent<'a, ()>;

impl<P: Serialize> Sent<'_, P> {
    fn write(&self) -> String {
        // Nothing in a message fails to serialize: its keys are strings, and its numbers finite.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Opened,
    SigningIn,
    Acknowledged,
}

/// The state of a connection. Operations have keys, because a client may reuse an id while results of
/// its former operation are still on the way.
pub struct Protocol {
    stage: Stage,
    keys: HashMap<String, u64>,
    ids: HashMap<u64, String>,
    next_key: u64,
}

impl Protocol {
    /// The state of a connection that was just opened.
    pub fn new() -> Self {
        Self {
            stage: Stage::Opened,
            keys: HashMap::new(),
            ids: HashMap::new(),
            next_key: 0,
        }
    }

    /// Whether the client has not sent `connection_init` yet.
    pub fn is_waiting(&self) -> bool {
        self.stage == Stage::Opened
    }

    /// Returns what a message asks for.
    pub fn receive(&mut self, text: &str) -> Action {
        // Serde would take an array for an object whose members it lists.
        let is_array = text.trim_start().starts_with('[');
        let message = serde_json::from_str(text).ok().filter(|_| !is_array);
        let Some(message) = message else {
            return Action::Close(Close::invalid("Not a message of graphql-transport-ws"));
        };
        match message {
            Received::ConnectionInit { payload } => self.init(payload.unwrap_or_default()),
            Received::Ping { payload } => Action::Send(Sent::Pong { payload }.write()),
            Received::Pong { .. } => Action::Nothing,
            Received::Subscribe { id, payload } => self.subscribe(id, payload),
            Received::Complete { id } => match self.keys.remove(&id) {
                None => Action::Nothing,
                Some(key) => {
                    self.ids.remove(&key);
                    Action::Stop(key)
                }
            },
        }
    }

    fn init(&mut self, payload: Map<String, Value>) -> Action {
        if self.stage != Stage::Opened {
            return Action::Close(Close::new(4429, "Too many initialisation requests"));
        }
        self.stage = Stage::SigningIn;
        let given = payload
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        match given {
            None | Some((_, Value::Null)) => Action::SignIn(None),
            Some((_, Value::String(value))) => Action::SignIn(Some(Credentials::written(&value))),
            Some(_) => Action::Close(Close::FORBIDDEN),
        }
    }

    /// Returns the message that tells the client that it may run operations.
    pub fn acknowledge(&mut self) -> String {
        self.stage = Stage::Acknowledged;
        Bare::ConnectionAck.write()
    }

    fn subscribe(&mut self, id: String, payload: Map<String, Value>) -> Action {
        if self.stage != Stage::Acknowledged {
            return Action::Close(Close::new(4401, "Unauthorized"));
        }
        if id.is_empty() || id.len() > LONGEST_ID {
            return Action::Close(Close::invalid("An id must be 1 to 255 bytes"));
        }
        if self.keys.contains_key(&id) {
            let shown = if id.len() <= 80 {
                id.as_str()
            } else {
                "this id"
            };
            return Action::Close(Close {
                code: 4409,
                reason: format!("Subscriber for {shown} already exists").into(),
            });
        }
        let params = match Params::of_object(payload) {
            Ok(params) => params,
            Err(reason) => return Action::Close(Close::invalid(reason)),
        };
        if self.keys.len() >= MOST {
            let payload = json!([{
                "message": format!("At most {MOST} operations may run on a connection."),
                "extensions": {
                    "code": ErrorCode::LimitReached.as_str(),
                    "limitName": "operationsPerConnection",
                    "limit": MOST,
                },
            }]);
            return Action::Send(Sent::Error { id: &id, payload }.write());
        }
        let key = self.next_key;
        self.next_key += 1;
        self.ids.insert(key, id.clone());
        self.keys.insert(id, key);
        Action::Start(key, params)
    }

    /// Returns the message for an operation's output, or `None` if the client has stopped the operation
    /// meanwhile.
    pub fn write(&mut self, key: u64, output: Output) -> Option<String> {
        let id = self.ids.get(&key)?.clone();
        if output.is_last() {
            self.ids.remove(&key);
            self.keys.remove(&id);
        }
        let id = id.as_str();
        Some(match output {
            Output::Next(payload) => Sent::Next { id, payload }.write(),
            Output::Error(payload) => Sent::Error { id, payload }.write(),
            Output::Complete => Bare::Complete { id }.write(),
        })
    }
}
