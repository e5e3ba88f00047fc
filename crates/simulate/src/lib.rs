//! Plays the providers, keeps the sender's own record and audits against it.
