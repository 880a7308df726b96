//! Black-box tests: one crate, so that it is linked once and shares what is costly to set up.

mod postgres;
