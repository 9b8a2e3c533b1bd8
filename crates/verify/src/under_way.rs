use std::collections::BTreeSet;

use uuid::Uuid;

use crate::{Verifier, VerifyError};

/// The batches and settlings under way at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UnderWay(BTreeSet<Uuid>);

impl UnderWay {
    pub(crate) async fn now(verifier: &Verifier) -> Result<Self, VerifyError> {
        let batches = metadata_store::batches::open(&verifier.pool).await?;
        let settling = metadata_store::settlings::current(&verifier.pool).await?;
        let batches = batches.into_iter().map(|(id, ..)| id);
        Ok(Self(
            batches
                .chain(settling.map(|settling| settling.id))
                .collect(),
        ))
    }

    /// Those that have not ended by a later moment.
    pub(crate) fn still_in(&self, later: &Self) -> Vec<Uuid> {
        self.0.intersection(&later.0).copied().collect()
    }

    #[cfg(test)]
    pub(crate) fn of(ids: impl IntoIterator<Item = Uuid>) -> Self {
        Self(ids.into_iter().collect())
    }
}
