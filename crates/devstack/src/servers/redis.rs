//! Redis from the system's package, on a port and in a directory of its own.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use super::{Definition, Site, write_config};
use crate::{
    command,
    error::Result,
    ports::{PortUse, Ports},
    process::Launch,
    server::Server,
};

pub(super) struct Redis;

const CONFIG: &str = include_str!("../../config/redis.conf");
const QUESTION_TIMEOUT: Duration = Duration::from_secs(1);

impl Definition for Redis {
    fn ports(&self, ports: &Ports) -> Vec<PortUse> {
        ports.redis_uses()
    }

    fn prepare(&self, site: &Site) -> Result<Launch> {
        let hint = "install it with: apt-get install redis-server";
        let directory = site.server_directory(Server::Redis)?;
        let config = directory.join("redis.conf");
        write_config(
            &config,
            &CONFIG.replace("@PORT@", &site.ports.redis.to_string()),
        )?;
        Ok(Launch {
            name: Server::Redis.to_string(),
            program: command::find_program("redis-server", &[], hint)?,
            arguments: vec![config.into()],
            environment: Vec::new(),
            user: None,
            working_directory: directory,
            log: site.log(Server::Redis.name())?,
        })
    }

    fn probe(&self, site: &Site) -> Result<(), String> {
        match ping(site.ports.redis) {
            Ok(answer) if answer.starts_with("+PONG") => Ok(()),
            Ok(answer) => Err(format!("PING was answered with {answer:?}")),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn ping(port: u16) -> std::io::Result<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, QUESTION_TIMEOUT)?;
    stream.set_read_timeout(Some(QUESTION_TIMEOUT))?;
    stream.write_all(b"PING\r\nQUIT\r\n")?;
    let mut answer = String::new();
    stream.take(256).read_to_string(&mut answer)?;
    Ok(answer)
}
