//! The foundation of the tests: a real server on a real database for each of them.

pub mod bucket;
pub mod client;
pub mod clock;
pub mod collecting;
pub mod collector;
pub mod copies;
pub mod database;
pub mod home;
pub mod icons;
pub mod introspection;
pub mod issuer;
pub mod metrics;
pub mod office;
pub mod optional;
pub mod people;
pub mod plans;
pub mod port;
pub mod postgres;
pub mod process;
pub mod providers;
pub mod raw;
pub mod server;
pub mod slow;
pub mod smtp;
pub mod socket;
pub mod stream;
pub mod wait;
pub mod working;
pub mod writer;

pub use client::{Client, Reply};
pub use database::Database::{self, Postgres, Sqlite};
pub use home::{Home, home};
pub use issuer::TestIssuer;
pub use people::{organization, workspace};
pub use port::port;
pub use providers::{Answer, FakeProviders};
pub use server::TestServer;
pub use socket::Socket;
pub use stream::Events;
pub use wait::until;
pub use writer::BusyWriter;

/// Returns the value at a path such as `createWorkspace.workspace.id`; list indices are numbers.
pub fn at<'a>(value: &'a serde_json::Value, path: &str) -> &'a serde_json::Value {
    path.split('.')
        .fold(value, |value, step| match step.parse::<usize>() {
            Ok(index) => &value[index],
            Err(_) => &value[step],
        })
}

/// Returns the text at a path.
pub fn text(value: &serde_json::Value, path: &str) -> String {
    let found = at(value, path);
    found
        .as_str()
        .unwrap_or_else(|| panic!("no text at {path} in {value}"))
        .to_owned()
}
