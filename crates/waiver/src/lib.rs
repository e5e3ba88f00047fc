//! The waiver processor: completed documents become waivers.
//!
//! # Only the whole document counts
//! A signer who is done proves nothing while a parent has still to sign. One completion often
//! sends two messages, the document's and the last signer's; the signer's is ignored, so there is
//! one waiver.
//!
//! # Void against completion: event time decides
//! A void ends the waiver. Which of the two came first is asked of the events' own times, never of
//! their arrival:
//! - A completion no later than the void is a waiver that was signed and then ended. It is applied
//!   even when the void arrived first, with the same records as in order.
//! - A completion later than a recorded void is ignored as `document_voided`: nobody can sign what
//!   no longer stands.
//!
//! Ignoring every completion that finds a void was rejected: the records would tell whether a
//! waiver had been signed by which message was faster. One case remains in which they do: a void
//! that was *earlier* than a completion and arrives after it finds the waiver applied, and ends it.
//! The record of the waiver then stands as ended instead of missing. No provider signs a voided
//! document, and either way nobody holds a valid waiver.

mod processor;
pub mod reasons;

pub use processor::{NAME, Rules, Waiver};
