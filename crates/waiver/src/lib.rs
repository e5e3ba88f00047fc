//! The waiver processor.
