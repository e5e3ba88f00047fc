//! Shared by the end-to-end, crash and tidy tests and by the benchmark.
