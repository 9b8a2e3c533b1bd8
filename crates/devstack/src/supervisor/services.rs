//! The programs of this repository that run on top of the servers.

use std::{
    env,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    endpoints::{CLICKHOUSE_DATABASE, Endpoints},
    error::Result,
    http,
    location::DIRECTORY_VARIABLE,
    ports::{PortUse, Ports, port_from_env},
    process::Launch,
    servers::Site,
};

const API_PORT: u16 = 8097;
const INGESTOR_ADMIN_PORT: u16 = 9101;
const READY_QUESTION_TIMEOUT: Duration = Duration::from_secs(3);

/// The services that `devstack run` starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Ingestor,
    QueryApi,
    Simulator,
}

/// Ports and traffic of the services.
#[derive(Debug, Clone)]
pub(crate) struct ServiceSettings {
    pub api_port: u16,
    pub ingestor_admin_port: u16,
    /// Events per second of the simulator; 0 runs none.
    pub rate: u32,
    /// The directory of the built programs.
    pub binaries: PathBuf,
}

impl ServiceSettings {
    pub(crate) fn from_env(rate: u32) -> Result<Self> {
        Ok(Self {
            api_port: port_from_env("OPENRIDE_STACK_API_PORT", API_PORT)?,
            ingestor_admin_port: port_from_env(
                "OPENRIDE_STACK_INGESTOR_ADMIN_PORT",
                INGESTOR_ADMIN_PORT,
            )?,
            rate,
            binaries: own_directory(),
        })
    }

    pub(crate) fn ports(&self) -> Vec<PortUse> {
        port_uses(self.api_port, self.ingestor_admin_port)
    }

    /// The services in the order of their start.
    pub(crate) fn services(&self) -> Vec<Service> {
        let mut services = vec![Service::Ingestor, Service::QueryApi];
        if self.rate > 0 {
            services.push(Service::Simulator);
        }
        services
    }
}

fn port_uses(api: u16, ingestor_admin: u16) -> Vec<PortUse> {
    vec![
        PortUse {
            port: api,
            needed_by: "the query API",
            setting: "OPENRIDE_STACK_API_PORT",
        },
        PortUse {
            port: ingestor_admin,
            needed_by: "the ingestor's admin listener",
            setting: "OPENRIDE_STACK_INGESTOR_ADMIN_PORT",
        },
    ]
}

/// The environment variables of a stack and their defaults, for the help.
#[must_use]
pub fn settings_help() -> String {
    let mut help = format!(
        "Environment:\n  {DIRECTORY_VARIABLE:<37} where data and logs are [default: .stack in the checkout]"
    );
    let services = port_uses(API_PORT, INGESTOR_ADMIN_PORT);
    for wanted in Ports::DOCUMENTED.uses().into_iter().chain(services) {
        let PortUse {
            port,
            needed_by,
            setting,
        } = wanted;
        help += &format!("\n  {setting:<37} port of {needed_by} [default: {port}]");
    }
    help
}

/// The settings that tell a service where everything is.
pub(crate) fn addresses(endpoints: &Endpoints) -> Vec<(&'static str, String)> {
    vec![
        ("OPENRIDE_KAFKA_BROKERS", endpoints.kafka.clone()),
        ("OPENRIDE_CLICKHOUSE_URL", endpoints.clickhouse_http.clone()),
        (
            "OPENRIDE_CLICKHOUSE_DATABASE",
            CLICKHOUSE_DATABASE.to_owned(),
        ),
        ("OPENRIDE_CLICKHOUSE_USER", "default".to_owned()),
        ("OPENRIDE_CLICKHOUSE_PASSWORD", String::new()),
        ("OPENRIDE_POSTGRES_URL", endpoints.postgres_url.clone()),
        ("OPENRIDE_REDIS_URL", endpoints.redis_url.clone()),
    ]
}

/// The programs of one build lie side by side.
fn own_directory() -> PathBuf {
    env::current_exe()
        .ok()
        .and_then(|this| this.parent().map(Path::to_owned))
        .unwrap_or_default()
}

impl Service {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ingestor => "ingestor",
            Self::QueryApi => "query-api",
            Self::Simulator => "simulator",
        }
    }

    pub(crate) fn launch(
        self,
        site: &Site,
        settings: &ServiceSettings,
        endpoints: &Endpoints,
    ) -> Result<Launch> {
        let mut environment = addresses(endpoints);
        let arguments = match self {
            Self::Ingestor => {
                let listen = format!("127.0.0.1:{}", settings.ingestor_admin_port);
                environment.push(("OPENRIDE_ADMIN_LISTEN", listen));
                vec!["run".to_owned()]
            }
            Self::QueryApi => {
                let listen = format!("127.0.0.1:{}", settings.api_port);
                environment.push(("OPENRIDE_HTTP_LISTEN", listen));
                // it listens to this machine only, and whoever tries it has no key yet
                environment.push(("OPENRIDE_AUTH_MODE", "off".to_owned()));
                // whoever reaches it may see all of it anyway
                let secret = "the local stack signs its cells with this";
                environment.push(("OPENRIDE_CELLS_SECRET", secret.to_owned()));
                vec!["run".to_owned()]
            }
            Self::Simulator => ["live", "--rate", &settings.rate.to_string()]
                .map(str::to_owned)
                .to_vec(),
        };
        Ok(Launch {
            name: self.name().to_owned(),
            program: settings.binaries.join(self.name()),
            arguments: arguments.into_iter().map(Into::into).collect(),
            environment,
            user: None,
            working_directory: site.directory.clone(),
            log: site.log(self.name())?,
        })
    }

    /// Asks the service once whether it is ready; the text says why not.
    pub(crate) fn probe(self, settings: &ServiceSettings) -> Result<(), String> {
        let port = match self {
            Self::Ingestor => settings.ingestor_admin_port,
            Self::QueryApi => settings.api_port,
            // It serves nobody; it runs or it does not.
            Self::Simulator => return Ok(()),
        };
        let url = format!("http://127.0.0.1:{port}/health/ready");
        http::get(&url, READY_QUESTION_TIMEOUT).map(drop)
    }
}
