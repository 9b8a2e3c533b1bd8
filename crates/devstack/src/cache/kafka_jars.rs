//! The Kafka broker's jars, collected by Maven.

use std::{fs, path::PathBuf, process::Command};

use super::Cache;
use crate::{
    command,
    error::{FileContext as _, Result},
    progress::Progress,
};

/// Apache Kafka's version. Raise `JARS` as well when only the list of jars changes.
pub(crate) const KAFKA_VERSION: &str = "4.3.1";
const JARS: &str = "1";
const POM: &str = include_str!("../../config/kafka-pom.xml");

impl Cache {
    /// The directory of Kafka's jars.
    pub(crate) fn kafka_jars(&self, progress: &dyn Progress) -> Result<PathBuf> {
        let name = format!("kafka-{KAFKA_VERSION}-{JARS}");
        self.entry(&name, progress, |partial| {
            let maven =
                command::find_program("mvn", &[], "install it with: apt-get install maven")?;
            let pom = partial.join("pom.xml");
            fs::write(&pom, POM.replace("@KAFKA_VERSION@", KAFKA_VERSION)).on("write", &pom)?;
            let what = format!("downloading Apache Kafka {KAFKA_VERSION} (54 MB)");
            progress.while_busy(&what, &mut || {
                let mut collect = Command::new(&maven);
                collect
                    .args(["--batch-mode", "--quiet", "--file"])
                    .arg(&pom)
                    .arg("dependency:copy-dependencies")
                    .arg(format!("-DoutputDirectory={}", partial.display()));
                self.helpers
                    .run("downloading Kafka", None, &collect)
                    .map(drop)
            })
        })
    }
}
