//! The larger subcommands.

pub mod backup;
pub mod check;
pub mod seed;
