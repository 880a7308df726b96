//! What the system is: one file an entity, with its rows, its rules, its queries and its errors.

pub mod values;
