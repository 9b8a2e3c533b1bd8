//! `query-api keys`: the first key, which no other can make.

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use clap::Subcommand;
use metadata_store::{
    Pool,
    audit::Act,
    keys::{self, NewKey},
};
use service_runtime::{clock::Clock, config::HumanDuration};
use shared_schema::access::{Role, Scope};
use uuid::Uuid;

use crate::{access::KeyText, config::Config};

/// What is done about keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Makes an API key and prints its text, which cannot be found out later. Who can reach the database may do this:
    /// it is how the first key is made.
    Create {
        /// What people call it
        #[arg(long, default_value = "first key")]
        name: String,
        /// What it may do: viewer, analyst or admin
        #[arg(long, value_parser = role, default_value = "admin")]
        role: Role,
        /// Whether it may see phone numbers, names and e-mails, and make keys that may
        #[arg(long)]
        pii: bool,
        /// After how long it ends, such as 90d; left out, it does not expire
        #[arg(long)]
        expires_in: Option<HumanDuration>,
    },
}

fn role(name: &str) -> Result<Role, String> {
    let names = Role::ALL.map(Role::as_str).join(", ");
    Role::parse(name).ok_or_else(|| format!("it must be one of {names}"))
}

fn ends(now: DateTime<Utc>, length: HumanDuration) -> anyhow::Result<DateTime<Utc>> {
    let length = TimeDelta::from_std(length.get()).ok();
    let end = length.and_then(|length| now.checked_add_signed(length));
    end.context("--expires-in is too long; leave it out for a key that does not expire")
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
    let secret = KeyText::random();
    let key = NewKey {
        id: Uuid::now_v7(),
        name,
        role,
        scope: Scope::Everywhere,
        may_read_pii: pii,
        expires_at: expires_in.map(|length| ends(now, length)).transpose()?,
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
