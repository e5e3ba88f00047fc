//! The in-memory queue.
pub struct MemoryQueue;
