//! The only list of metric, span and field names, and how they leave the process.
//!
//! No label ever has unbounded values: sources, processors, outcomes and reasons come from the
//! configuration and from the code, never from a request.

mod log;
mod metrics;

pub use log::{LogFormat, init as init_log};
pub use metrics::Metrics;
