//! `query-api keys`: the first key, which no other can make.

use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use metadata_store::{
    Pool,
    audit::Act,
    keys::{self, NewKey},
};
use service_runtime::{clock::Clock, config::HumanDuration};
use shared_schema::access::{Role, Scope};
use uuid::Uuid;

use crate::{access::Secret, config::Config};

/// What is done about keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Makes an API key and prints its text, which cannot be found out later. Who can reach the database may do this:
    /// it is how the first key is made.
    Create {
        /// What people call it
        #[arg(long, default_value = "first key")]
        name: String,
        /// What it may do
        #[arg(long, value_enum, default_value = "admin")]
        role: RoleArgument,
        /// Whether it may see phone numbers, names and e-mails, and make keys that may
        #[arg(long)]
        pii: bool,
        /// After how long it ends, such as 90d; never without
        #[arg(long)]
        expires_in: Option<HumanDuration>,
    },
}

/// The role of a key.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum RoleArgument {
    /// Reads metrics, analyses, definitions and the ledger
    Viewer,
    /// Also reads dead letters
    Analyst,
    /// Does everything, keys included
    Admin,
}

impl From<RoleArgument> for Role {
    fn from(role: RoleArgument) -> Self {
        match role {
            RoleArgument::Viewer => Self::Viewer,
            RoleArgument::Analyst => Self::Analyst,
            RoleArgument::Admin => Self::Admin,
        }
    }
}

/// Does it, and prints what came of it.
///
/// # Errors
/// When PostgreSQL does not answer, or refuses the name.
pub async fn run(command: KeysCommand, config: &Config, clock: &dyn Clock) -> anyhow::Result<()> {
    let KeysCommand::Create {
        name,
        role,
        pii,
        expires_in,
    } = command;
    let now = clock.now();
    let pool = Pool::new(&config.postgres)?;
    let secret = Secret::random();
    let key = NewKey {
        id: Uuid::now_v7(),
        name,
        role: role.into(),
        scope: Scope::Everywhere,
        may_read_pii: pii,
        expires_at: expires_in.map(|length| now + length.get()),
    };
    let act = Act {
        actor: "command".to_owned(),
        request_id: None,
    };
    let created = keys::create(&pool, now, &act, key, &secret.fingerprint()).await;
    let key = created.context("the key was not made")?;
    eprintln!("key {} ({}, {}):", key.id, key.name, key.role);
    println!("{}", secret.expose());
    Ok(())
}
