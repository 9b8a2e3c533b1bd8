use crate::{
    error::{At, Operation, StoreError},
    insert_settings::{self, PINNED, WAIT},
    native::Body,
    observe::{self, Told},
    params::Params,
    store::Store,
};

/// `INSERT INTO … SELECT … FROM input('…') … FORMAT Native` with its body, or `INSERT INTO … SELECT …` from tables
/// without one: one request, one block.
#[derive(Clone, Debug)]
pub struct InsertSelect {
    /// The statement. `FORMAT Native` may be left out, and must be where there is no body.
    pub sql: String,
    /// Values of its `{name:Type}` places.
    pub params: Params,
    /// The query's id: [`fence::query_id`](crate::fence::query_id) where a batch is written.
    pub query_id: String,
    /// What traces and metrics call it: one of a few names, such as the table's.
    pub name: Option<String>,
    /// Settings beside the [pinned](crate::insert_settings) ones, which cannot be changed here.
    pub settings: Vec<(String, String)>,
    /// One block, as [`Block::take`](crate::native::Block::take) makes it; empty for none.
    pub body: Body,
}

impl InsertSelect {
    /// An insert without parameters and further settings.
    pub fn new(sql: impl Into<String>, query_id: impl Into<String>, body: impl Into<Body>) -> Self {
        Self {
            sql: sql.into(),
            params: Params::new(),
            query_id: query_id.into(),
            name: None,
            settings: Vec::new(),
            body: body.into(),
        }
    }

    /// The same with these values.
    #[must_use]
    pub fn params(mut self, params: Params) -> Self {
        self.params = params;
        self
    }

    /// The same with a name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The same with one more setting.
    #[must_use]
    pub fn setting(mut self, name: &str, value: impl ToString) -> Self {
        self.settings.push((name.to_owned(), value.to_string()));
        self
    }
}

impl Store {
    /// Sends an insert and waits until the server has written all of it.
    ///
    /// It is sent once. `Ok` means that every target of the insert has its parts. An error means that
    /// each target may or may not have them, unless it [is fenced](StoreError::is_fenced) or could not be
    /// [reached](StoreError::Unreachable); only looking tells.
    ///
    /// # Errors
    /// Whatever else than the server's word that it is done.
    pub async fn insert_select(&self, insert: InsertSelect) -> Result<(), StoreError> {
        let at = At {
            operation: Operation::Insert,
            subject: insert.query_id.clone(),
        };
        let reserved = |name: &str| insert_settings::is_reserved(name);
        if let Some((name, _)) = insert.settings.iter().find(|(name, _)| reserved(name)) {
            let source = format!("the setting `{name}` is not the caller's to choose").into();
            return Err(StoreError::Request { at, source });
        }
        let pinned: Vec<_> = PINNED
            .iter()
            .map(|pinned| (pinned.name, pinned.value))
            .collect();
        self.send_insert(at, &insert, &pinned).await
    }

    /// Sends an insert with other values of the pinned settings, to see the probe fail.
    pub(crate) async fn send_insert(
        &self,
        at: At,
        insert: &InsertSelect,
        pinned: &[(&str, &str)],
    ) -> Result<(), StoreError> {
        let sql = if insert.body.is_empty() {
            insert.sql.clone()
        } else {
            with_format(&insert.sql)
        };
        let seconds = self.config().insert_timeout.as_secs_f64().to_string();
        let request = [
            ("database", self.database()),
            ("query", sql.as_str()),
            ("query_id", insert.query_id.as_str()),
            ("max_execution_time", seconds.as_str()),
            WAIT,
        ];
        let settings = insert
            .settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let query = request
            .into_iter()
            .chain(settings)
            .chain(pinned.iter().copied());
        let query = query.chain(insert.params.pairs());
        let told = Told {
            operation: at.operation,
            name: insert.name.as_deref(),
            query_id: &insert.query_id,
        };
        let sent = self.http().post(at, query, insert.body.clone());
        told.run(self.duration(), observe::span(self.database()), sent)
            .await
    }
}

fn with_format(sql: &str) -> String {
    let sql = sql.trim_end().trim_end_matches(';').trim_end();
    match sql.ends_with("FORMAT Native") {
        true => sql.to_owned(),
        false => format!("{sql} FORMAT Native"),
    }
}
