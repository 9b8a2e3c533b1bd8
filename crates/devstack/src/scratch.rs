//! Databases of ClickHouse that go with the test that made them. Tables of all tests together make each of the server's
//! statements about tables dearer.

use std::{cell::RefCell, time::Duration};

use crate::http;

const PATIENCE: Duration = Duration::from_secs(10);

thread_local! {
    /// Those of the test that runs on this thread.
    static OF_THIS_TEST: RefCell<Vec<Scratch>> = const { RefCell::new(Vec::new()) };
}

/// Drops a database.
struct Scratch {
    url: String,
    name: String,
}

/// Drops the database of this name, if there is one, and what the migrations make beside it, when this thread ends.
pub(crate) fn drop_with_this_thread(url: &str, name: &str) {
    let (url, name) = (url.to_owned(), name.to_owned());
    OF_THIS_TEST.with_borrow_mut(|databases| databases.push(Scratch { url, name }));
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for name in [format!("scoped_{}", self.name), self.name.clone()] {
            // the whole server goes soon
            let _ = http::post(
                &self.url,
                &format!("DROP DATABASE IF EXISTS {name}"),
                PATIENCE,
            );
        }
    }
}
