use serde::Serialize;
use utoipa::ToSchema;

/// The rule that an analysis was made by, since others answer the same question by other rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Rule {
    /// Its name; it changes when the numbers would.
    #[schema(example = "registration-cohorts/1")]
    pub name: &'static str,
    /// What it says, in short.
    pub description: String,
    /// Where all of it is written.
    #[schema(example = "/v1/definitions/cohort")]
    pub definition: &'static str,
}

impl Rule {
    /// The rule of a name, which the text of a definition describes.
    pub(crate) fn new(name: &'static str, definition: &'static str, text: &'static str) -> Self {
        Self {
            name,
            description: lead(text),
            definition,
        }
    }
}

/// What the text of a definition tells, in its first words.
fn lead(text: &'static str) -> String {
    let lead = text.split("\n# ").next().unwrap_or_default();
    lead.split_whitespace().collect::<Vec<_>>().join(" ")
}
