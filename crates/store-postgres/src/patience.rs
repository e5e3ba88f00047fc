//! An end to every wait.
//!
//! The server's own time-outs end a statement only while the server lives. When its host vanishes
//! without a word, the kernel would try for a quarter of an hour before a read fails.

use std::future::Future;
use std::time::Duration;

use rollbook_store::StoreError;

use crate::fault::Complaint;

/// How long one call of the port may take; `None` means for ever.
#[derive(Clone, Copy, Debug)]
pub struct Patience(Option<Duration>);

impl Patience {
    /// A call is a handful of statements, none of which may take longer than this.
    pub fn for_statements_of(statement_timeout: Duration) -> Self {
        Self((!statement_timeout.is_zero()).then(|| statement_timeout * 2))
    }

    pub async fn with<T>(self, call: impl Future<Output = Result<T, StoreError>> + Send) -> Result<T, StoreError> {
        let Some(limit) = self.0 else { return call.await };
        match tokio::time::timeout(limit, call).await {
            Ok(answer) => answer,
            Err(_) => Err(StoreError::Unavailable(Complaint::Silent(limit).into())),
        }
    }
}
