//! The subcommands that are more than a call.

pub mod backup;
pub mod check;
pub mod seed;
