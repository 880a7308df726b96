//! The domain: one module per entity, with its rows, rules, queries and errors. Knows neither GraphQL
//! nor HTTP.

pub mod account;
pub mod answer;
pub mod api_token;
mod deleted_identity;
pub mod event;
pub mod file;
pub mod invitation;
pub mod join_code;
pub mod mail;
pub mod navigation;
pub mod organization;
pub mod patch;
pub mod prompt;
pub mod provider;
pub mod purge;
pub mod quota;
pub mod rate_limit;
mod removal;
pub mod run;
pub mod schedule;
mod secret;
pub mod slugs;
pub mod user;
pub mod values;
pub mod visibility;
pub mod workspace;
