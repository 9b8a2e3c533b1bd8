//! Apache Kafka: one broker that is its own controller.

use std::{fs, path::PathBuf, time::Duration};

use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer as _},
};

use super::{Definition, Site, write_config};
use crate::{
    command,
    error::{FileContext as _, Result},
    ports::{PortUse, Ports},
    process::Launch,
    progress::Progress,
    server::Server,
};

pub(super) struct Kafka;

const PROPERTIES: &str = include_str!("../../config/kafka.properties");
const LOGGING: &str = include_str!("../../config/kafka-log4j2.properties");
/// Any 128 bits in URL-safe base64 do; one broker never meets another cluster.
const CLUSTER_ID: &str = "b3BlbnJpZGUtc3RhY2stMQ";
const QUESTION_TIMEOUT: Duration = Duration::from_secs(2);

impl Definition for Kafka {
    fn ports(&self, ports: &Ports) -> Vec<PortUse> {
        ports.kafka_uses()
    }

    fn fetch(&self, site: &Site, progress: &dyn Progress) -> Result<()> {
        site.cache.kafka_jars(progress).map(drop)
    }

    fn prepare(&self, site: &Site) -> Result<Launch> {
        let broker = Broker::locate(site)?;
        write_config(&broker.properties, &properties(&site.ports))?;
        write_config(&broker.logging, LOGGING)?;
        broker.format_once(site)?;
        broker.launch(site)
    }

    fn probe(&self, site: &Site) -> Result<(), String> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set(
                "bootstrap.servers",
                format!("127.0.0.1:{}", site.ports.kafka),
            )
            .set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg)
            .create()
            .map_err(|error| error.to_string())?;
        let metadata = consumer
            .fetch_metadata(None, QUESTION_TIMEOUT)
            .map_err(|error| error.to_string())?;
        if metadata.brokers().is_empty() {
            return Err("it lists no broker yet".to_owned());
        }
        Ok(())
    }
}

fn properties(ports: &Ports) -> String {
    PROPERTIES
        .replace("@PORT@", &ports.kafka.to_string())
        .replace("@CONTROLLER_PORT@", &ports.kafka_controller.to_string())
}

struct Broker {
    java: PathBuf,
    jars: PathBuf,
    directory: PathBuf,
    properties: PathBuf,
    logging: PathBuf,
}

impl Broker {
    fn locate(site: &Site) -> Result<Self> {
        let hint = "install it with: apt-get install openjdk-17-jre-headless";
        let directory = site.server_directory(Server::Kafka)?;
        Ok(Self {
            java: command::find_program("java", &[], hint)?,
            jars: site.cache.kafka_jars(&crate::progress::Silent)?,
            properties: directory.join("server.properties"),
            logging: directory.join("log4j2.properties"),
            directory,
        })
    }

    /// Gives an empty data directory its identity. A format that was cut short is begun anew.
    fn format_once(&self, site: &Site) -> Result<()> {
        let data = self.directory.join("data");
        if data.join("meta.properties").exists() {
            return Ok(());
        }
        if data.exists() {
            fs::remove_dir_all(&data).on("remove", &data)?;
        }
        let mut format = std::process::Command::new(&self.java);
        format
            .args(self.java_options())
            .args([
                "-XX:TieredStopAtLevel=1",
                "kafka.tools.StorageTool",
                "format",
            ])
            .args(["--cluster-id", CLUSTER_ID, "--config"])
            .arg(&self.properties)
            .current_dir(&self.directory);
        site.helpers
            .run("formatting Kafka's data directory", None, &format)
            .map(drop)
    }

    fn launch(&self, site: &Site) -> Result<Launch> {
        let mut arguments = self.java_options();
        arguments.extend([
            // Few collector threads: the broker shares two cores with everything else.
            "-Xms128m".to_owned(),
            "-Xmx512m".to_owned(),
            "-XX:+UseSerialGC".to_owned(),
            "-XX:+ExitOnOutOfMemoryError".to_owned(),
            "kafka.Kafka".to_owned(),
            self.properties.display().to_string(),
        ]);
        Ok(Launch {
            name: Server::Kafka.to_string(),
            program: self.java.clone(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            environment: Vec::new(),
            user: None,
            working_directory: self.directory.clone(),
            log: site.log(Server::Kafka.name())?,
        })
    }

    fn java_options(&self) -> Vec<String> {
        vec![
            "-cp".to_owned(),
            format!("{}/*", self.jars.display()),
            format!("-Dlog4j2.configurationFile={}", self.logging.display()),
            "-Djava.awt.headless=true".to_owned(),
            "-Djava.net.preferIPv4Stack=true".to_owned(),
        ]
    }
}
