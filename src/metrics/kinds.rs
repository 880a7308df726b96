//! What is told apart by labels of which all values are known.

/// What carries the results of subscriptions.
#[derive(Clone, Copy, Debug)]
pub enum Transport {
    /// A socket.
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

/// Which bound refused a connection.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// That of all connections.
    All,
    /// That of the connections of one address.
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

/// What came of a mail.
#[derive(Clone, Copy, Debug)]
pub enum Delivery {
    /// It was handed over.
    Sent,
    /// It could not be sent, and is tried again.
    Failed,
    /// It could not be sent, and is not tried again.
    GivenUp,
    /// What it tells of was over before it could be sent.
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

/// What is deleted for good.
#[derive(Clone, Copy, Debug)]
pub enum Purged {
    /// A workspace, and what was in it.
    Workspace,
    /// An organization, its workspaces gone before.
    Organization,
    /// A person who deleted their account, once nothing names them as its author any more.
    Person,
    /// A run that was kept as long as runs are, and its answers.
    Run,
    /// An uploaded file that is of no more use.
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

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Organization => "organization",
            Self::Person => "person",
            Self::Run => "run",
            Self::File => "file",
        }
    }
}
