//! Black-box tests: HTTP in, HTTP out, each on a server and a database of its own, on SQLite and on
//! PostgreSQL.

mod support;

mod account;
mod members;
mod organization_members;
mod plans;
mod workspaces;
