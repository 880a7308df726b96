//! What clients see: the GraphQL API.

pub mod limits;
