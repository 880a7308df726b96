//! Black-box tests: HTTP in, HTTP out, each on a server and a database of its own, on SQLite and on
//! PostgreSQL.

mod support;

mod invitations;
mod mail;
mod workspaces;
