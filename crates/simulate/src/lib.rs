//! Plays the providers, keeps the sender's own record, and audits the service against it.
//!
//! A service that checks itself can only find what it knows of. Here the other side of the wire is
//! played: [`Stream`] makes callbacks and knows from their making what must become of each;
//! [`Player`] sends them as providers do, with signatures and retries, and writes down every
//! answer; [`audit`] then holds the store against that [`Record`]. Nothing here calls a rule of a
//! processor: an expectation that came from the rules could not contradict them.

mod audit;
pub mod bodies;
mod callback;
pub mod club;
mod effect;
#[cfg(test)]
mod fixtures;
mod player;
mod record;
mod samples;
mod source;
mod stream;
mod summary;

pub use audit::{Audit, AuditError, AuditOptions, Recorded, Scope, audit, check};
pub use callback::{Callback, Expect, Expected, Key, Kind, Signing, Verdict};
pub use effect::{Effect, Paid};
pub use player::{PlayError, Player, PlayerOptions, Progress, ProgressFn, Retry};
pub use record::{Answer, Fate, Record, Sent};
pub use samples::{Sample, SampleBody, SampleOptions, sample, samples};
pub use source::{MEMBERSHIP, Source, SourceFault, WAIVER};
pub use stream::{Mix, PlanPrice, Stream, StreamOptions, default_plans};
pub use summary::{KindLine, Latencies, LetterGroup, Summary};
