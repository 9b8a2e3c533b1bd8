use serde::Serialize;
use utoipa::ToSchema;

/// The rule that an analysis was made by, since others answer the same question by other rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Rule {
    /// Its name; it changes when the numbers would.
    #[schema(example = "registration-cohorts/1")]
    pub name: &'static str,
    /// What it says.
    pub description: &'static str,
}
