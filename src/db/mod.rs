//! One set of queries for both databases: pools, connections, transactions, migrations, and what Diesel
//! has no portable form for.

mod abandon;
mod announce;
mod backup;
mod bulk;
mod connection;
mod delete_some;
mod each;
mod insert;
mod inspect;
mod lock;
mod migrations;
mod options;
pub mod page;
mod pool;
mod postgres;
mod prepared;
mod replica;
mod session;
mod sqlite;
mod statements;
mod tally;
mod tls;
mod together;
mod transaction;
pub mod types;

pub use announce::{Listener, Topic};
pub use backup::backup;
pub use bulk::{Bulk, Row, Table, Value};
pub use connection::{Connection, Inner};
pub use delete_some::delete_some;
pub use each::{MAX_PARENTS, Parent, each_parent};
pub use insert::insert_all;
pub use inspect::{
    ForeignMessages, Standing, foreign_messages, is_bounded, prove_writable, standing, version,
};
pub use lock::{lock, lock_skip};
pub use migrations::migrate;
pub use options::{Kind, Options};
pub use pool::{Db, PoolStatus};
pub use replica::Replica;
pub use sqlite::on_its_thread;
pub use statements::Statements;
pub use tally::Tally;
pub use transaction::{Transaction, Work};
