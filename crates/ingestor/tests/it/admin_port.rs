//! What a member says of itself on its admin port.

use ingestor::Config;
use std::net::TcpListener;

/// Gives the member a port of its own and returns its address.
pub fn with_admin_port(config: &mut Config) -> String {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    config.admin.listen = free.local_addr().unwrap();
    config.admin.listen.to_string()
}

/// Whether it says that it is ready.
pub async fn is_ready(address: &str) -> bool {
    ask(address, "health/ready").await.is_some()
}

/// Whether it says that it lives.
pub async fn is_live(address: &str) -> bool {
    ask(address, "health/live").await.is_some()
}

/// A number that it tells without labels, if it tells it yet.
pub async fn metric(address: &str, name: &str) -> Option<f64> {
    let text = ask(address, "metrics").await?;
    let mut lines = text.lines();
    let line = lines.find(|line| !line.starts_with('#') && line.starts_with(name))?;
    line.rsplit(' ').next()?.parse().ok()
}

/// What it answers, if it answers well.
pub async fn ask(address: &str, path: &str) -> Option<String> {
    let url = format!("http://{address}/{path}");
    let asking = tokio::task::spawn_blocking(move || {
        let mut answer = ureq::get(&url).call().ok()?;
        answer.body_mut().read_to_string().ok()
    });
    asking.await.unwrap()
}
