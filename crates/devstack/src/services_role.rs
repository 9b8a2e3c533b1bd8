//! The role of PostgreSQL that the services are advised to be, as README.md makes it.

use std::fs;

use tokio_postgres::Client;
use url::Url;

use crate::test_stack::{postgres_client, test_stack};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
/// What README.md calls it.
const NAME: &str = "openride_services";

/// The services' role, under a name of its own, in one database.
pub struct ServicesRole {
    owner: Client,
    name: String,
    url: String,
}

#[expect(
    clippy::panic,
    reason = "a test without the role has to fail, with the reason"
)]
impl ServicesRole {
    /// Makes it, in the database that its owner reaches by this URL.
    ///
    /// # Panics
    /// When PostgreSQL refuses, or README.md does not say how.
    pub async fn make(url: &str) -> Self {
        let owner = postgres_client(url).await;
        let name = test_stack().unique("services");
        let Some((statements, url)) = statements().zip(with_user(url, &name)) else {
            panic!("README.md does not say how {NAME} is made, or {url} has no user");
        };
        let made = owner.batch_execute(&statements.replace(NAME, &name)).await;
        if let Err(error) = made {
            panic!("the services' role was not made: {error:?}");
        }
        Self { owner, name, url }
    }

    /// The same database, reached as this role.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Takes it away again, for it is known to the whole server.
    ///
    /// # Panics
    /// When PostgreSQL refuses.
    pub async fn end(self) {
        let name = self.name;
        let end = format!("DROP OWNED BY {name}; DROP ROLE {name}");
        if let Err(error) = self.owner.batch_execute(&end).await {
            panic!("the services' role was not dropped: {error:?}");
        }
    }
}

/// The block of README.md that makes the role.
fn statements() -> Option<String> {
    let text = fs::read_to_string(README).ok()?;
    let mut blocks = text
        .split("```")
        .filter_map(|block| block.strip_prefix("sql\n"));
    let found = blocks.find(|block| block.contains(&format!("CREATE ROLE {NAME}")));
    found.map(str::to_owned)
}

fn with_user(url: &str, name: &str) -> Option<String> {
    let mut url: Url = url.parse().ok()?;
    url.set_username(name).ok()?;
    Some(url.into())
}
