//! A source from the sender's side: where to send, as which provider, with which secret.

use rollbook_domain::{Account, FactKind, ProcessorName, SourceName};
use rollbook_providers::{Provider, Secret, find};
use thiserror::Error;

/// The processor of payments.
pub const MEMBERSHIP: &str = "membership";
/// The processor of documents.
pub const WAIVER: &str = "waiver";

/// Where callbacks of one provider go.
pub struct Source {
    pub name: SourceName,
    /// Event keys live in it.
    pub account: Account,
    pub provider: &'static dyn Provider,
    /// One that the service holds to be live.
    pub secret: Secret,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SourceFault {
    #[error("there is no provider `{0}`")]
    UnknownProvider(String),
}

impl Source {
    pub fn new(name: SourceName, account: Account, provider: &str, secret: Secret) -> Result<Self, SourceFault> {
        let found = find(provider).ok_or_else(|| SourceFault::UnknownProvider(provider.to_owned()))?;
        Ok(Self { name, account, provider: found, secret })
    }

    /// The processors that hear of this source: those that want a kind of fact which it can state
    /// (DESIGN of the service: "subscriptions").
    pub fn subscribers(&self) -> Vec<ProcessorName> {
        let yields = |kind| self.provider.yields().contains(&kind);
        let mut names = Vec::new();
        if yields(FactKind::PaymentCaptured) {
            names.push(ProcessorName::from(MEMBERSHIP));
        }
        if yields(FactKind::DocumentCompleted) {
            names.push(ProcessorName::from(WAIVER));
        }
        names
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .field("provider", &self.provider.name())
            .finish_non_exhaustive()
    }
}
