//! Rebuilds the crate when a migration is added: what is embedded is otherwise only watched file by file.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations/clickhouse");
}
