//! The parts of icons that involve neither the database nor HTTP: what an image may be, where its bytes
//! are kept, and how upload URLs are signed.

mod end;
mod format;
mod image;
mod signature;
mod store;

pub use format::Format;
pub use image::{Image, MAX_BYTES, Refusal, check};
pub use signature::SigningKey;
pub use store::{Content, ObjectId, Store};
