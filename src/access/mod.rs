//! Authorization: who may do what.
//!
//! [`role`] and [`permission`] hold the rules as data, [`scope`] turns a permission into a type, and
//! every query that crosses tenants starts in [`visible`].

pub mod permission;
pub mod role;
pub mod scope;
pub mod visible;

pub use permission::Permission;
pub use role::{OrganizationRole, WorkspaceRole};
pub use scope::{OrganizationScope, WorkspaceScope};
