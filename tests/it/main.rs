//! Black-box tests: HTTP in, HTTP out, each on a server and a database of its own, on SQLite and on
//! PostgreSQL.

mod support;

mod account;
mod api_tokens;
mod backup;
mod check;
mod contract;
mod deleting;
mod http;
mod invitations;
mod join_codes;
mod limits;
mod lists;
mod mail;
mod matrix;
mod members;
mod organization_members;
mod organizations;
mod plans;
mod prompts;
mod providers;
mod providers_enabled;
mod purge;
mod races;
mod runs;
mod runs_read;
mod schema;
mod seed;
mod start;
mod statements;
mod strangers;
mod visibility;
mod workspaces;
