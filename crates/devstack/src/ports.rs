//! Which port belongs to whom, where that is set, and whether it is free.

use std::{
    fmt,
    net::{Ipv4Addr, TcpListener},
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use crate::{
    error::{Result, StackError},
    process::wait_until,
};

/// The ports of one stack, all on 127.0.0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// Kafka's client listener.
    pub kafka: u16,
    /// Kafka's controller listener.
    pub kafka_controller: u16,
    /// ClickHouse's HTTP interface.
    pub clickhouse_http: u16,
    /// ClickHouse's native protocol.
    pub clickhouse_tcp: u16,
    /// PostgreSQL.
    pub postgres: u16,
    /// Redis.
    pub redis: u16,
}

/// One port: who needs it and which environment variable moves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortUse {
    /// The port number.
    pub port: u16,
    /// Who listens there, in words.
    pub needed_by: &'static str,
    /// The environment variable that sets another one.
    pub setting: &'static str,
}

/// Ports that the stack needs and that somebody else holds.
#[derive(Debug, thiserror::Error)]
pub struct PortsTaken(pub Vec<PortUse>);

impl fmt::Display for PortsTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, taken) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(
                f,
                "port {} is taken, and {} needs it: free it, or set {}=<another port>",
                taken.port, taken.needed_by, taken.setting
            )?;
        }
        Ok(())
    }
}

impl Ports {
    /// The documented ports.
    pub const DOCUMENTED: Self = Self {
        kafka: 19092,
        kafka_controller: 19093,
        clickhouse_http: 18123,
        clickhouse_tcp: 19000,
        postgres: 15432,
        redis: 16379,
    };

    /// The documented ports, each replaced by its environment variable where that is set.
    pub fn from_env() -> Result<Self> {
        let documented = Self::DOCUMENTED;
        Ok(Self {
            kafka: port_from_env("OPENRIDE_STACK_KAFKA_PORT", documented.kafka)?,
            kafka_controller: port_from_env(
                "OPENRIDE_STACK_KAFKA_CONTROLLER_PORT",
                documented.kafka_controller,
            )?,
            clickhouse_http: port_from_env(
                "OPENRIDE_STACK_CLICKHOUSE_HTTP_PORT",
                documented.clickhouse_http,
            )?,
            clickhouse_tcp: port_from_env(
                "OPENRIDE_STACK_CLICKHOUSE_TCP_PORT",
                documented.clickhouse_tcp,
            )?,
            postgres: port_from_env("OPENRIDE_STACK_POSTGRES_PORT", documented.postgres)?,
            redis: port_from_env("OPENRIDE_STACK_REDIS_PORT", documented.redis)?,
        })
    }

    /// Ports that nobody listens on at this moment.
    pub fn free() -> Result<Self> {
        Ok(Self {
            kafka: free_port()?,
            kafka_controller: free_port()?,
            clickhouse_http: free_port()?,
            clickhouse_tcp: free_port()?,
            postgres: free_port()?,
            redis: free_port()?,
        })
    }

    /// Who needs which port.
    pub(crate) fn uses(&self) -> Vec<PortUse> {
        [
            self.kafka_uses(),
            self.clickhouse_uses(),
            self.postgres_uses(),
            self.redis_uses(),
        ]
        .concat()
    }

    pub(crate) fn kafka_uses(&self) -> Vec<PortUse> {
        vec![
            PortUse {
                port: self.kafka,
                needed_by: "Kafka",
                setting: "OPENRIDE_STACK_KAFKA_PORT",
            },
            PortUse {
                port: self.kafka_controller,
                needed_by: "Kafka's controller",
                setting: "OPENRIDE_STACK_KAFKA_CONTROLLER_PORT",
            },
        ]
    }

    pub(crate) fn clickhouse_uses(&self) -> Vec<PortUse> {
        vec![
            PortUse {
                port: self.clickhouse_http,
                needed_by: "ClickHouse (HTTP)",
                setting: "OPENRIDE_STACK_CLICKHOUSE_HTTP_PORT",
            },
            PortUse {
                port: self.clickhouse_tcp,
                needed_by: "ClickHouse (native protocol)",
                setting: "OPENRIDE_STACK_CLICKHOUSE_TCP_PORT",
            },
        ]
    }

    pub(crate) fn postgres_uses(&self) -> Vec<PortUse> {
        vec![PortUse {
            port: self.postgres,
            needed_by: "PostgreSQL",
            setting: "OPENRIDE_STACK_POSTGRES_PORT",
        }]
    }

    pub(crate) fn redis_uses(&self) -> Vec<PortUse> {
        vec![PortUse {
            port: self.redis,
            needed_by: "Redis",
            setting: "OPENRIDE_STACK_REDIS_PORT",
        }]
    }
}

/// Reads a port from the environment variable, or takes the default.
pub fn port_from_env(variable: &'static str, default: u16) -> Result<u16> {
    let Ok(value) = std::env::var(variable) else {
        return Ok(default);
    };
    match value.trim().parse() {
        Ok(port) if port != 0 => Ok(port),
        _ => Err(StackError::BadPort { variable, value }),
    }
}

/// The servers of a supervisor that was just killed let go of their ports within this time.
const LETTING_GO: Duration = Duration::from_secs(3);

/// Fails, naming all of them, if any of the ports is taken, and not just about to be let go.
///
/// # Errors
/// When ports are taken.
pub fn require_free(uses: &[PortUse]) -> Result<(), PortsTaken> {
    let mut taken = uses.to_vec();
    wait_until(LETTING_GO, || {
        taken.retain(|wanted| !is_free(wanted.port));
        taken.is_empty()
    });
    if taken.is_empty() {
        Ok(())
    } else {
        Err(PortsTaken(taken))
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Below the range from which Linux takes the source ports of outgoing connections: a port found
/// free here stays free between a server's stop and its restart.
const FREE_PORTS: std::ops::RangeInclusive<u16> = 20_000..=31_999;

fn free_port() -> Result<u16> {
    static OFFSET: AtomicU16 = AtomicU16::new(0);
    let (first, last) = (*FREE_PORTS.start(), *FREE_PORTS.end());
    let size = last - first + 1;
    // Each process walks the range from another place, so that two rarely want the same port.
    let origin = u32::from(size) * (std::process::id() % 97) / 97;
    for _ in 0..size {
        let step = u32::from(OFFSET.fetch_add(1, Ordering::Relaxed));
        let slot = (origin + step) % u32::from(size);
        let port = first + u16::try_from(slot).unwrap_or(0);
        if is_free(port) {
            return Ok(port);
        }
    }
    Err(StackError::NoFreePort { first, last })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named_with_its_owner_and_setting() {
        let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = holder.local_addr().unwrap().port();
        let wanted = PortUse {
            port,
            needed_by: "Redis",
            setting: "OPENRIDE_STACK_REDIS_PORT",
        };
        let message = require_free(&[wanted]).unwrap_err().to_string();
        assert!(
            message.contains(&format!("port {port} is taken")),
            "{message}"
        );
        assert!(message.contains("Redis needs it"), "{message}");
        assert!(message.contains("OPENRIDE_STACK_REDIS_PORT"), "{message}");
    }

    #[test]
    fn free_ports_differ_and_can_be_bound() {
        let ports = Ports::free().unwrap();
        let all = [
            ports.kafka,
            ports.kafka_controller,
            ports.clickhouse_http,
            ports.clickhouse_tcp,
            ports.postgres,
            ports.redis,
        ];
        let held: Vec<_> = all
            .iter()
            .map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).unwrap())
            .collect();
        assert_eq!(held.len(), all.len());
    }
}
