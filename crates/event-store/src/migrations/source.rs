use include_dir::{Dir, File, include_dir};
use sha2::{Digest, Sha256};

use super::MigrationError;
use crate::config::is_identifier;

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../migrations/clickhouse");

/// A step of the schema: one directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// The number that begins its directory's name.
    pub version: u32,
    /// The rest of the name.
    pub title: String,
    /// SHA-256 over the files' names and texts, in hexadecimal.
    pub checksum: String,
    /// Its statements, in order.
    pub statements: Vec<Statement>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The file's name.
    pub file: String,
    /// Its text, with places in double braces.
    pub template: String,
}

/// What fills the places of the statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendering {
    /// `{{database}}`
    pub database: String,
    /// `{{local}}`: ends the names of the tables that hold rows, empty where there is one server. With
    /// several, `Distributed` tables of the plain names lie over them.
    pub local: String,
}

impl Rendering {
    /// For a single server.
    pub fn single(database: impl Into<String>) -> Self {
        Self {
            database: database.into(),
            local: String::new(),
        }
    }

    pub(super) fn check(&self) -> Result<(), MigrationError> {
        match is_identifier(&self.database) {
            true => Ok(()),
            false => Err(MigrationError::Database(self.database.clone())),
        }
    }

    /// The statement; or the name of a place that is unknown.
    pub(super) fn render(&self, template: &str) -> Result<String, String> {
        let sql = template
            .replace("{{database}}", &self.database)
            .replace("{{local}}", &self.local);
        match sql.split_once("{{") {
            None => Ok(sql),
            Some((_, rest)) => Err(rest.split("}}").next().unwrap_or_default().to_owned()),
        }
    }
}

impl Migration {
    /// A step of these statements.
    pub fn new(version: u32, title: impl Into<String>, statements: Vec<Statement>) -> Self {
        let mut hash = Sha256::new();
        for statement in &statements {
            for part in [&statement.file, &statement.template] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
        let digest = hash.finalize();
        Self {
            version,
            title: title.into(),
            checksum: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            statements,
        }
    }

    /// As its directory is called.
    pub fn name(&self) -> String {
        step_name(self.version, &self.title)
    }
}

pub(super) fn step_name(version: u32, title: &str) -> String {
    format!("{version:04}_{title}")
}

/// The steps built into the program, in order.
///
/// # Errors
/// If a file does not follow the layout.
pub fn embedded() -> Result<Vec<Migration>, MigrationError> {
    let mut steps = FILES.dirs().map(step).collect::<Result<Vec<_>, _>>()?;
    steps.sort_by_key(|step| step.version);
    for pair in steps.windows(2) {
        if let [first, second] = pair
            && first.version == second.version
        {
            return Err(layout(&second.name(), "another step has the same number"));
        }
    }
    Ok(steps)
}

fn step(directory: &Dir<'_>) -> Result<Migration, MigrationError> {
    let path = directory.path().to_string_lossy();
    let (version, title) =
        numbered(&path).ok_or_else(|| layout(&path, "it is not called NNNN_name"))?;
    let mut statements = directory
        .files()
        .map(statement)
        .collect::<Result<Vec<_>, _>>()?;
    statements.sort_by(|a, b| a.file.cmp(&b.file));
    if statements.is_empty() || directory.dirs().next().is_some() {
        return Err(layout(
            &path,
            "a step consists of NN_name.sql files and nothing else",
        ));
    }
    Ok(Migration::new(version, title, statements))
}

fn statement(file: &File<'_>) -> Result<Statement, MigrationError> {
    let path = file.path().to_string_lossy();
    let name = file
        .path()
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let name = name.filter(|name| name.strip_suffix(".sql").and_then(numbered).is_some());
    let name = name.ok_or_else(|| layout(&path, "it is not called NN_name.sql"))?;
    let text = file.contents_utf8().filter(|text| !text.trim().is_empty());
    let text = text.ok_or_else(|| layout(&path, "it holds no text"))?;
    Ok(Statement {
        file: name,
        template: text.to_owned(),
    })
}

/// `(7, "aggregates")` of `0007_aggregates`
fn numbered(name: &str) -> Option<(u32, &str)> {
    let (number, title) = name.split_once('_')?;
    let number = Some(number).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some((number.parse().ok()?, title)).filter(|(_, title)| !title.is_empty())
}

fn layout(path: &str, problem: &str) -> MigrationError {
    MigrationError::Layout {
        path: path.to_owned(),
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_steps_follow_the_layout_and_leave_no_place_unfilled() {
        let steps = embedded().unwrap();
        assert!(!steps.is_empty());
        let rendering = Rendering::single("rides");
        for statement in steps.iter().flat_map(|step| &step.statements) {
            assert_eq!(
                rendering.render(&statement.template).err(),
                None,
                "{}",
                statement.file
            );
        }
    }

    #[test]
    fn a_place_that_nobody_fills_is_named() {
        let rendering = Rendering::single("rides");
        let rendered = rendering.render("CREATE TABLE {{database}}.t{{local}} ENGINE = {{engine}}");
        assert_eq!(rendered, Err("engine".to_owned()));
    }

    #[test]
    fn the_checksum_sees_a_text_move_between_files() {
        let statement = |file: &str, template: &str| Statement {
            file: file.to_owned(),
            template: template.to_owned(),
        };
        let one = Migration::new(
            1,
            "a",
            vec![statement("01_a.sql", "x"), statement("02_b.sql", "y")],
        );
        let other = Migration::new(
            1,
            "a",
            vec![statement("01_a.sql", "xy"), statement("02_b.sql", "")],
        );
        assert_ne!(one.checksum, other.checksum);
    }
}
