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
    let url = format!("http://{address}/health/ready");
    let asked = tokio::task::spawn_blocking(move || ureq::get(&url).call().is_ok());
    asked.await.unwrap()
}
