use service_runtime::config::{ByteSize, HumanDuration, Loader, Origin};
use tempfile::TempDir;

use crate::fixture::{Config, Overflow};

fn file(directory: &TempDir, name: &str, text: &str) -> std::path::PathBuf {
    let path = directory.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn load(loader: &Loader) -> Config {
    loader
        .load()
        .unwrap_or_else(|error| panic!("{error}"))
        .config
}

#[test]
fn without_any_source_the_configuration_is_the_default() {
    let config = load(&Loader::default());
    assert_eq!(config.batch.max_rows, 50_000);
    assert_eq!(config.store.password.expose(), "default-password");
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_default() {
    let directory = TempDir::new().unwrap();
    let toml = "place = 'Ìbàdàn'\n[batch]\nmax_rows = 10\nmax_age = '2s'\n";
    let loader = Loader::default()
        .with_file(file(&directory, "service.toml", toml))
        .with_variable("OPENRIDE_BATCH_MAX_ROWS", "20");
    let config = load(&loader);
    assert_eq!(config.batch.max_rows, 20);
    assert_eq!(config.batch.max_age, HumanDuration::secs(2));
    assert_eq!(config.batch.max_bytes, ByteSize::mib(16));
    assert_eq!(config.place, "Ìbàdàn");
}

#[test]
fn every_kind_of_setting_can_be_written_in_the_environment() {
    let config = load(
        &Loader::default()
            .with_variable("OPENRIDE_BATCH_MAX_ROWS", "1_000")
            .with_variable("OPENRIDE_BATCH_MAX_BYTES", "512 KiB")
            .with_variable("OPENRIDE_BATCH_MAX_AGE", "45s")
            .with_variable("OPENRIDE_BATCH_MEMORY_SHARE", "0.25")
            .with_variable("OPENRIDE_BATCH_COMPRESS", "false")
            .with_variable("OPENRIDE_BATCH_OVERFLOW", "set_aside")
            .with_variable("OPENRIDE_BATCH_SKEW", "-3")
            .with_variable("OPENRIDE_STORE_URL", "https://store.example/x?y=1")
            .with_variable("OPENRIDE_STORE_BROKERS", "a:1, b:2,")
            .with_variable("OPENRIDE_STORE_PORTS", "9000,9001")
            .with_variable("OPENRIDE_STORE_LISTEN", "[::1]:80")
            .with_variable(
                "OPENRIDE_STORE_ALIASES",
                r#"{"booking.created": "booking"}"#,
            )
            .with_variable("OPENRIDE_TLS_AUTHORITY", "/etc/ca.pem")
            .with_variable("OPENRIDE_BATCH_MAX_AGE_FILE", ""),
    );
    assert_eq!(config.batch.max_rows, 1000);
    assert_eq!(config.batch.max_bytes, ByteSize::bytes(512 * 1024));
    assert_eq!(config.batch.max_age, HumanDuration::secs(45));
    assert!((config.batch.memory_share - 0.25).abs() < f64::EPSILON);
    assert!(!config.batch.compress);
    assert_eq!(config.batch.overflow, Overflow::SetAside);
    assert_eq!(config.batch.skew, -3);
    assert_eq!(config.store.url.as_str(), "https://store.example/x?y=1");
    assert_eq!(config.store.brokers, ["a:1", "b:2"]);
    assert_eq!(config.store.ports, [9000, 9001]);
    assert_eq!(config.store.listen.to_string(), "[::1]:80");
    assert_eq!(config.store.aliases["booking.created"], "booking");
    assert_eq!(
        config.tls.unwrap().authority.unwrap().to_str(),
        Some("/etc/ca.pem")
    );
}

#[test]
fn every_kind_of_setting_can_be_written_in_a_file() {
    let directory = TempDir::new().unwrap();
    let toml = r#"
        [batch]
        max_rows = 1_000
        max_bytes = 4096
        memory_share = 0.25
        compress = false
        overflow = "set_aside"
        [store]
        brokers = ["a:1"]
        ports = [9000]
        listen = "0.0.0.0:1"
        [store.aliases]
        "booking.created" = "booking"
        [tls]
        authority = "/etc/ca.pem"
    "#;
    let config = load(&Loader::default().with_file(file(&directory, "service.toml", toml)));
    assert_eq!(config.batch.max_bytes, ByteSize::bytes(4096));
    assert_eq!(config.batch.overflow, Overflow::SetAside);
    assert_eq!(config.store.ports, [9000]);
    assert_eq!(config.store.aliases["booking.created"], "booking");
    assert!(config.tls.is_some());
}

#[test]
fn an_empty_variable_counts_as_absent() {
    let config = load(&Loader::default().with_variable("OPENRIDE_BATCH_MAX_ROWS", ""));
    assert_eq!(config.batch.max_rows, 50_000);
}

#[test]
fn a_secret_is_read_from_the_mounted_file_without_its_line_end() {
    let directory = TempDir::new().unwrap();
    let mounted = file(&directory, "password", " s3cret \n");
    let loader = Loader::default().with_variable("OPENRIDE_STORE_PASSWORD_FILE", &mounted);
    assert_eq!(load(&loader).store.password.expose(), " s3cret ");
}

#[test]
fn a_variable_of_another_service_or_of_the_local_stack_does_not_stop_the_start() {
    let loaded = Loader::default()
        .with_known_elsewhere("OPENRIDE_QUERY_MAX_POINTS")
        .with_variable("OPENRIDE_QUERY_MAX_POINTS", "1")
        .with_variable("OPENRIDE_QUERY_MAX_POINTS_FILE", "")
        .with_variable("OPENRIDE_STACK_KAFKA_PORT", "1")
        .with_variable("OPENRIDE_TEST_SEED", "1")
        .with_variable("OPENRIDE_CONFIG", "x")
        .with_variable("PATH", "/bin")
        .load::<Config>()
        .unwrap();
    assert_eq!(
        loaded.ignored,
        [
            "OPENRIDE_QUERY_MAX_POINTS",
            "OPENRIDE_QUERY_MAX_POINTS_FILE"
        ]
    );
}

#[test]
fn each_loaded_setting_tells_where_it_comes_from() {
    let directory = TempDir::new().unwrap();
    let path = file(&directory, "service.toml", "[batch]\nmax_rows = 10\n");
    let loaded = Loader::default()
        .with_file(&path)
        .with_variable("OPENRIDE_BATCH_SKEW", "5")
        .load::<Config>()
        .unwrap();
    let settings = loaded.settings().unwrap();
    let of = |name: &str| {
        settings
            .iter()
            .find(|setting| setting.name == name)
            .unwrap()
    };
    assert_eq!(of("OPENRIDE_BATCH_MAX_ROWS").origin, Origin::File(path));
    assert_eq!(of("OPENRIDE_BATCH_MAX_ROWS").value, 10);
    let environment = Origin::Environment("OPENRIDE_BATCH_SKEW".to_owned());
    assert_eq!(of("OPENRIDE_BATCH_SKEW").origin, environment);
    assert_eq!(of("OPENRIDE_BATCH_COMPRESS").origin, Origin::Default);
}
