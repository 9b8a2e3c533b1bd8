//! What was settled leaves the waiting tables, and what was moved leaves its old buckets.

use super::{
    Settler,
    sql::{self, WAITING, Waiting},
};
use event_store::{Params, StoreError};
use metadata_store::settlings::Settling;

/// The statement is answered once the rows are gone, and not when it is planned.
const WAIT: (&str, u8) = ("mutations_sync", 1);

impl Settler {
    /// Removes the facts of a settling all of which is written.
    pub(super) async fn remove(&self, settling: &Settling) -> Result<(), StoreError> {
        let params = sql::params(settling);
        for waiting in &WAITING {
            if !waiting.buckets(&settling.facts).is_empty() {
                self.remove_from(waiting, &params).await?;
            }
        }
        Ok(())
    }

    async fn remove_from(&self, waiting: &Waiting, params: &Params) -> Result<(), StoreError> {
        let database = self.store.database();
        let count = self.store.query(&waiting.count_over(database));
        let over = count.params(params).named("facts that wait no more");
        // to remove nothing costs as much as to remove something
        if over.fetch_one::<u64>().await? == 0 {
            return Ok(());
        }
        let (name, value) = WAIT;
        let remove = self.store.query(&waiting.remove_over(database));
        let remove = remove.params(params).setting(name, value);
        remove
            .named("remove facts that wait no more")
            .deadline(self.store.config().insert_timeout.get())
            .execute()
            .await
    }
}
