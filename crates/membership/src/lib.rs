//! The membership processor.
