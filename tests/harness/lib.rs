//! What the end-to-end and crash tests and the benchmark share: a service of one's own, in a folder
//! of its own, driven as a person would drive it: by files, signals, HTTP and the command line.

mod backends;
mod post;
mod world;

pub use backends::{Backends, apart};
pub use post::{Answer, sign, sign_at};
pub use world::{CLUBHOUSE, CYBERSOURCE, DOCUSIGN, Options, STRIPE, World, binary};
