//! What the end-to-end and crash tests and the benchmark share: a service of one's own, in a folder
//! of its own, driven as a person would drive it: by files, signals, HTTP and the command line.

mod backends;
mod fleet;
mod post;
mod process;
mod records;
mod servers;
mod settings;
mod traffic;
mod world;

pub use backends::{Backends, apart};
pub use fleet::Fleet;
pub use post::{Answer, sign, sign_at};
pub use process::{Process, binary};
pub use records::Records;
pub use servers::Servers;
pub use settings::{CLUBHOUSE, CYBERSOURCE, DOCUSIGN, Options, STRIPE};
pub use traffic::{Traffic, audit, callbacks, newcomers, sources, stream};
pub use world::World;
