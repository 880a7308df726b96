//! Labels whose possible values are all known.

/// How the results of subscriptions are transported.
#[derive(Clone, Copy, Debug)]
pub enum Transport {
    /// A WebSocket.
    WebSocket,
    /// A stream of server-sent events.
    Sse,
}

impl Transport {
    pub(super) const ALL: [Self; 2] = [Self::WebSocket, Self::Sse];

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Sse => "sse",
        }
    }
}

/// The limit that a connection exceeded.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// The limit of all connections together.
    All,
    /// The limit of the connections from one address.
    Address,
}

impl Bound {
    pub(super) const ALL: [Self; 2] = [Self::All, Self::Address];

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Address => "address",
        }
    }
}

/// The outcome of trying to send a mail.
#[derive(Clone, Copy, Debug)]
pub enum Delivery {
    /// It was sent.
    Sent,
    /// It could not be sent, and will be retried.
    Failed,
    /// It could not be sent, and will not be retried.
    GivenUp,
    /// Its subject was over before it could be sent.
    Dropped,
}

impl Delivery {
    pub(super) const ALL: [Self; 4] = [Self::Sent, Self::Failed, Self::GivenUp, Self::Dropped];

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::GivenUp => "given_up",
            Self::Dropped => "dropped",
        }
    }
}

/// What was deleted for good.
#[derive(Clone, Copy, Debug)]
pub enum Purged {
    /// A workspace and everything in it.
    Workspace,
    /// An organization, after its workspaces.
    Organization,
    /// A person who deleted their account, once nothing refers to them as its author any more.
    Person,
    /// A run whose retention period is over, and its answers.
    Run,
    /// An uploaded file that is no longer used.
    File,
}

impl Purged {
    pub(super) const ALL: [Self; 5] = [
        Self::Workspace,
        Self::Organization,
        Self::Person,
        Self::Run,
        Self::File,
    ];

    /// The kind's name, in metrics and in the log.
    pub fn label(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Organization => "organization",
            Self::Person => "person",
            Self::Run => "run",
            Self::File => "file",
        }
    }
}
