//! Icons of workspaces: uploading, using and serving them, and sweeping those that are no longer used.

mod bucket;
mod crashing;
mod refusing;
mod serving;
mod sweeping;
mod uploading;
mod using;
