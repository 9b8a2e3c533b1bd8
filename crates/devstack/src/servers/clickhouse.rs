//! ClickHouse: this binary's own `clickhouse-server`, which loads the engine as a library.

use std::{fs, io, path::Path, time::Duration};

use super::{Definition, Site, write_config};
use crate::{
    error::{FileContext as _, Result},
    http,
    ports::{PortUse, Ports},
    process::Launch,
    progress::{Progress, Silent},
    server::Server,
};

pub(super) struct ClickHouse;

const CONFIG: &str = include_str!("../../config/clickhouse.xml");
const USERS: &str = include_str!("../../config/clickhouse-users.xml");
const QUESTION_TIMEOUT: Duration = Duration::from_secs(2);

impl Definition for ClickHouse {
    fn ports(&self, ports: &Ports) -> Vec<PortUse> {
        ports.clickhouse_uses()
    }

    fn fetch(&self, site: &Site, progress: &dyn Progress) -> Result<()> {
        site.cache.clickhouse_library(progress).map(drop)
    }

    fn prepare(&self, site: &Site) -> Result<Launch> {
        let directory = site.server_directory(Server::ClickHouse)?;
        let config = directory.join("config.xml");
        write_config(
            &config,
            &configuration(site, &directory.display().to_string()),
        )?;
        write_config(&directory.join("users.xml"), USERS)?;
        let data = directory.join("data");
        fs::create_dir_all(&data).on("create", &data)?;
        remove_old_logs(&data)?;
        let library = site.cache.clickhouse_library(&Silent)?;
        Ok(Launch {
            name: Server::ClickHouse.to_string(),
            program: site.helpers.launcher.clone(),
            arguments: vec![
                "clickhouse-server".into(),
                "--library".into(),
                library.into(),
                "--config".into(),
                config.into(),
                "--data".into(),
                data.into(),
            ],
            environment: Vec::new(),
            user: None,
            working_directory: directory,
            log: site.log(Server::ClickHouse.name())?,
        })
    }

    fn probe(&self, site: &Site) -> Result<(), String> {
        let base = format!("http://127.0.0.1:{}", site.ports.clickhouse_http);
        expect_answer(&format!("{base}/ping"), "Ok.\n")?;
        expect_answer(&format!("{base}/?query=SELECT%2042"), "42\n")
    }
}

/// The engine forgets its system tables when it ends but stumbles over their files, and would log no
/// query again.
fn remove_old_logs(data: &Path) -> Result<()> {
    let logs = data.join("data/system");
    match fs::remove_dir_all(&logs) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).on("remove", &logs),
        _ => Ok(()),
    }
}

fn configuration(site: &Site, directory: &str) -> String {
    CONFIG
        .replace("@DIRECTORY@", directory)
        .replace("@HTTP_PORT@", &site.ports.clickhouse_http.to_string())
        .replace("@TCP_PORT@", &site.ports.clickhouse_tcp.to_string())
}

fn expect_answer(url: &str, expected: &str) -> Result<(), String> {
    let answer = http::get(url, QUESTION_TIMEOUT)?;
    if answer == expected {
        Ok(())
    } else {
        Err(format!("{url} answered {answer:?}"))
    }
}
