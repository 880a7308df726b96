//! Tenantry: the workspace backend of a multi-tenant product behind one GraphQL API.

pub mod access;
pub mod app;
pub mod auth;
pub mod config;
pub mod db;
pub mod error;
pub mod files;
pub mod graphql;
pub mod http;
pub mod id;
pub mod loopback;
pub mod metrics;
pub mod models;
pub mod private;
pub mod providers;
pub mod random;
pub mod schema;
pub mod seed;
pub mod start;
pub mod telemetry;
pub mod worker;
