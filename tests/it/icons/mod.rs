//! Icons of workspaces: uploading, using and serving them, and what becomes of those that nobody has any
//! use for.

mod bucket;
mod crashing;
mod refusing;
mod serving;
mod sweeping;
mod uploading;
mod using;
