//! Black-box tests: HTTP in, HTTP out, each on a server and a database of its own, on SQLite and on
//! PostgreSQL.

mod support;

mod account;
mod api_tokens;
mod audits;
mod connections;
mod contract;
mod deleting;
mod documents;
mod explain;
mod http;
mod invitations;
mod join_codes;
mod limits;
mod lists;
mod mail;
mod matrix;
mod members;
mod metrics;
mod organization_members;
mod organizations;
mod plans;
mod prompts;
mod providers;
mod providers_enabled;
mod races;
mod runs;
mod runs_read;
mod schema;
mod start;
mod statements;
mod strangers;
mod subscriptions;
mod visibility;
mod workspaces;
