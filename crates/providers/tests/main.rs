//! The providers' promises: published and own vectors, what hostile bytes can and cannot do, and
//! that work grows with the size of a request.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its own data has failed")]

mod growth;
mod hostile;
mod mutation;
mod published;
mod round_trip;
mod shown;
mod two_posts;
mod vectors;
