//! Invitations: offers of membership, sent to an email address.

mod revoke;

pub use revoke::{
    decline_all, revoke_of_inviter, revoke_of_organizations, revoke_of_workspace, revoke_unrightful,
};

use crate::text_enum;

text_enum! {
    /// What became of an invitation.
    pub enum InvitationStatus {
        /// It can be accepted, unless it has expired.
        Pending = "PENDING",
        /// Whoever was invited is a member by it.
        Accepted = "ACCEPTED",
        /// Whoever was invited does not want it.
        Declined = "DECLINED",
        /// It was taken back.
        Revoked = "REVOKED",
        /// It was not answered in time.
        Expired = "EXPIRED",
    }
}
