//! `lanes list`, `lanes resume`, `lanes declare-lost`, `lanes park` and `lanes retire`: what an operator sees of the partitions, and
//! decides about those that stand still or are gone.

mod bounds;
mod declaration;
mod declare_lost;
mod finish;
mod forgotten;
mod list;
mod park;
mod plan;
mod retire;
mod selection;
mod stored;
mod taken;

use crate::config::Config;
use anyhow::bail;
use clap::Subcommand;
use metadata_store::{LaneId, Pool, lanes};
use selection::Selection;
use uuid::Uuid;

/// Decisions about partitions.
#[derive(Debug, Subcommand)]
pub enum LanesCommand {
    /// Shows every partition: next offset, Kafka's end, lag, owner, the batch that is open on it, and why it stands still.
    List,
    /// Lets a stopped or retired partition go on. Its owner looks into it again, and stops it once more if the reason
    /// remains.
    Resume {
        /// Which one, as `lanes list` shows it.
        #[arg(value_name = "TOPIC/PARTITION", value_parser = parse)]
        lane: LaneId,
    },
    /// Declares offsets of a stopped partition lost, from its next one on, and lets it go on behind them. They become a
    /// gap with the cause `lost`, which keeps the ledger from being balanced for ever.
    DeclareLost {
        /// Which one, as `lanes list` shows it.
        #[arg(value_name = "TOPIC/PARTITION", value_parser = parse)]
        lane: LaneId,
        /// The last offset that is lost.
        #[arg(long, value_name = "OFFSET")]
        through: i64,
        /// Does it. Without this, it is only said what would be done.
        #[arg(long)]
        yes: bool,
    },
    /// Ends a batch that was open for so long that nobody can tell any more what is there of it. Nothing is written, and its
    /// partitions stand still until it is decided about each.
    Park {
        /// Which one, as `lanes list` shows it.
        batch: Uuid,
        /// Does it. Without this, it is only said what would be done.
        #[arg(long)]
        yes: bool,
    },
    /// Retires the partitions of a topic, or one, that are gone for good: nothing waits for them any more, neither
    /// `complete_through` nor the facts that wait for what they could have told.
    Retire {
        /// Which ones.
        #[arg(value_name = "TOPIC[/PARTITION]", value_parser = selection::parse)]
        selection: Selection,
        /// Gives up what was not read of them, also of those that Kafka still has; the ledger shows it as lost. Batches
        /// that hold partitions which Kafka does not have any more are finished first.
        #[arg(long)]
        force: bool,
        /// Does it. Without this, it is only said what would be done.
        #[arg(long)]
        yes: bool,
    },
}

/// Does what an operator asks for.
///
/// # Errors
/// When it is refused, or a server does not answer; the message says what to do.
pub async fn run(command: LanesCommand, config: Config) -> anyhow::Result<()> {
    match command {
        LanesCommand::List => {
            let pool = Pool::new(&config.postgres)?;
            print!("{}", list::table(&lanes::all(&pool).await?));
            Ok(())
        }
        LanesCommand::Resume { lane } => resume(&Pool::new(&config.postgres)?, &lane).await,
        LanesCommand::DeclareLost { lane, through, yes } => {
            declare_lost::run(&config, &lane, through, yes).await
        }
        LanesCommand::Park { batch, yes } => park::run(&config, batch, yes).await,
        LanesCommand::Retire {
            selection,
            force,
            yes,
        } => retire::run(&config, &selection, force, yes).await,
    }
}

async fn resume(pool: &Pool, lane: &LaneId) -> anyhow::Result<()> {
    let Some(stored) = lanes::find(pool, lane).await? else {
        bail!("{lane} is not known: see `ingestor lanes list`");
    };
    if !lanes::resume(pool, lane, stored.next_offset).await? {
        bail!("{lane} does not stand still");
    }
    let reason = stored.stopped_reason.unwrap_or_default();
    println!(
        "{lane} goes on at {}. It stood still: {reason}",
        stored.next_offset
    );
    println!(
        "Its owner takes it up within seconds, and stops it again if the reason remains: see `ingestor lanes list`."
    );
    Ok(())
}

fn parse(text: &str) -> Result<LaneId, String> {
    let parts = text
        .rsplit_once('/')
        .and_then(|(topic, partition)| Some((topic, partition.parse::<i32>().ok()?)));
    match parts {
        Some((topic, partition)) if !topic.is_empty() && partition >= 0 => Ok(LaneId {
            topic: topic.to_owned(),
            partition,
        }),
        _ => Err(
            "a topic and the number of a partition are wanted, such as openride.events.trip/3"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_a_topic_and_a_partition() {
        let lane = parse("openride.events.trip/3").unwrap();
        assert_eq!(lane.to_string(), "openride.events.trip/3");
        for wrong in ["", "trip", "trip/", "/3", "trip/-1", "trip/three"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
