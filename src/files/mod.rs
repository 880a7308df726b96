//! Icons, as far as neither the database nor HTTP is concerned: what an image may be, where its bytes
//! are kept, and how the URL is signed by which it is uploaded.

mod end;
mod format;
mod image;
mod signature;
mod store;

pub use format::Format;
pub use image::{Image, MAX_BYTES, Refusal, check};
pub use signature::SigningKey;
pub use store::{Content, ObjectId, Store};
