//! The tests of the host stand in `e2e/`.
