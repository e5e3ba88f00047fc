//! Ingest: the HTTP front that verifies a callback and makes it durable.
