//! The SQL of an insert and of a repair.

use super::Target;
use crate::judge::Encoder;
use event_store::fence::Fence;
use shared_schema::Domain;
use std::collections::HashMap;

/// The mark of rows that are events and no sentinels, as an expression.
pub(crate) const UNMARKED: &str = "toUUID('00000000-0000-0000-0000-000000000000')";

/// Why rows come to an input table.
pub(crate) enum Phase {
    /// They were read from Kafka.
    Ingest,
    /// Their region has become known.
    Settle,
}

impl Phase {
    /// The value, as an expression.
    pub(crate) fn expression(self) -> String {
        let name = match self {
            Self::Ingest => "ingest",
            Self::Settle => "settle",
        };
        format!("CAST('{name}', 'Enum8(\\'ingest\\' = 0, \\'settle\\' = 1)')")
    }
}

/// What stands in every row and not in the block.
fn constants() -> [(&'static str, String); 4] {
    [
        ("batch", "{batch:UUID}".to_owned()),
        ("mark", format!("if(sentinel, {{mark:UUID}}, {UNMARKED})")),
        ("phase", Phase::Ingest.expression()),
        ("decided_at", "{decided_at:DateTime64(3, 'UTC')}".to_owned()),
    ]
}

/// The statements of every domain.
pub(super) struct Statements {
    database: String,
    sources: HashMap<Domain, Source>,
}

struct Source {
    names: String,
    select: String,
}

impl Statements {
    /// For the columns that `encoder` writes.
    pub(super) fn new(database: &str, encoder: &mut Encoder) -> Self {
        let mut sources = HashMap::new();
        for domain in Domain::ALL {
            if let Some(rows) = encoder.rows(domain) {
                sources.insert(
                    domain,
                    source(database, &rows.input(), &rows.column_names()),
                );
            }
        }
        Self {
            database: database.to_owned(),
            sources,
        }
    }

    /// The insert into a domain's input table.
    pub(super) fn insert(&self, domain: Domain) -> String {
        let source = self.sources.get(&domain);
        let (names, select) = source.map_or(("", ""), |source| (&source.names, &source.select));
        format!(
            "INSERT INTO {}.{} ({names}) {select}",
            self.database,
            domain.input_table()
        )
    }

    /// The rows of an insert, as a query over its block.
    pub(super) fn source(&self, domain: Domain) -> &str {
        self.sources
            .get(&domain)
            .map_or("", |source| source.select.as_str())
    }

    /// The insert of what is missing of a batch straight into one target.
    pub(super) fn repair(&self, domain: Domain, target: &Target) -> String {
        target.repair(&self.database, domain, self.source(domain))
    }
}

impl Target {
    /// The insert of missing rows straight into the table, past all views: the view's own `SELECT`, read from
    /// `source` instead of the input table, without the partitions in `{present:Array(String)}`.
    pub fn repair(&self, database: &str, domain: Domain, source: &str) -> String {
        let select = self.select_from(database, domain, source);
        let columns = self
            .columns
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ");
        let partition = match self.partition_key.as_str() {
            "" => "'all'".to_owned(),
            key => format!("toString({key})"),
        };
        format!(
            "INSERT INTO {database}.{} ({columns}) SELECT {columns} FROM ({select}) \
             WHERE {partition} NOT IN ({{present:Array(String)}})",
            self.table,
        )
    }

    /// The view's own `SELECT`, read from `source` instead of the input table.
    pub(super) fn select_from(&self, database: &str, domain: Domain, source: &str) -> String {
        let input = format!("FROM {database}.{}", domain.input_table());
        self.select.replace(&input, &format!("FROM ({source})"))
    }
}

fn source(database: &str, input: &str, columns: &[String]) -> Source {
    let names = constants().map(|(name, _)| name).join(", ");
    let constants = constants()
        .map(|(name, value)| format!("{value} AS {name}"))
        .join(", ");
    let columns = columns.join(", ");
    Source {
        select: format!(
            "SELECT {constants}, {columns} FROM {input} WHERE {}",
            Fence::predicate(database)
        ),
        names: format!("{names}, {columns}"),
    }
}
