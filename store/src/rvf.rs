//! The part of RVF (the RuVector format) that the durable file is made of: segments, and what
//! stands in them. Facts are those of `rvf-types` 0.3 and `rvf-runtime` 0.5, checked by tests
//! against both.

#[cfg(feature = "foreign")]
pub(crate) mod chain;
pub(crate) mod manifest;
pub(crate) mod meta;
pub(crate) mod records;
pub(crate) mod segment;
