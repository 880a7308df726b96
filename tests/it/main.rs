//! Black-box tests: HTTP in, HTTP out, each on a server and a database of its own, on SQLite and on
//! PostgreSQL.

mod support;

mod deleting;
mod http;
mod limits;
mod lists;
mod organizations;
mod races;
mod schema;
mod start;
mod statements;
mod strangers;
mod workspaces;
