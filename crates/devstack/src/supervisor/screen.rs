//! What the person sees once everything runs.

use std::{fmt::Write as _, io::Write as _, time::Duration};

use super::Supervisor;
use crate::endpoints::CLICKHOUSE_DATABASE;

/// Prints where everything is and what to try first.
pub(super) fn show(supervisor: &Supervisor, took: Duration) {
    let text = text(supervisor, took).unwrap_or_default();
    // A reader that has gone away must not end the stack.
    let _ = std::io::stdout().write_all(text.as_bytes());
    let _ = std::io::stdout().flush();
}

fn text(supervisor: &Supervisor, took: Duration) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    let with_services = !supervisor.services.is_empty();
    writeln!(
        out,
        "\nOpenRide Analytics is up after {:.1} s.\n",
        took.as_secs_f64()
    )?;
    if with_services {
        services(&mut out, supervisor)?;
    }
    servers(&mut out, supervisor)?;
    if with_services {
        first_steps(&mut out, supervisor)?;
    }
    writeln!(
        out,
        "\nIn another terminal: make status, make logs, make stop. Here: Ctrl-C stops everything.\n"
    )?;
    Ok(out)
}

fn services(out: &mut String, supervisor: &Supervisor) -> std::fmt::Result {
    let settings = &supervisor.settings;
    let api = format!("http://127.0.0.1:{}", settings.api_port);
    writeln!(out, "  API         {api}/v1   (documentation: {api}/docs)")?;
    writeln!(
        out,
        "  ingestor    http://127.0.0.1:{}/health",
        settings.ingestor_admin_port
    )?;
    match settings.rate {
        0 => writeln!(out, "  traffic     none"),
        rate => writeln!(out, "  traffic     {rate} events/s from the simulator"),
    }
}

fn servers(out: &mut String, supervisor: &Supervisor) -> std::fmt::Result {
    let endpoints = supervisor.stack.endpoints();
    writeln!(out, "  Kafka       {}", endpoints.kafka)?;
    writeln!(
        out,
        "  ClickHouse  {}   (native protocol: {}; database {CLICKHOUSE_DATABASE})",
        endpoints.clickhouse_http, endpoints.clickhouse_tcp
    )?;
    writeln!(out, "  PostgreSQL  {}", endpoints.postgres_url)?;
    writeln!(out, "  Redis       {}", endpoints.redis_url)?;
    writeln!(
        out,
        "  data, logs  {}",
        supervisor.stack.directory().display()
    )
}

fn first_steps(out: &mut String, supervisor: &Supervisor) -> std::fmt::Result {
    let port = supervisor.settings.api_port;
    let kafka = &supervisor.stack.endpoints().kafka;
    write!(
        out,
        r#"
Try:
  curl localhost:{port}/v1/metrics/realtime
  curl localhost:{port}/v1/metrics/bookings
  curl localhost:{port}/v1/pipeline/ledger

  # send an event of your own, then see new_registrations grow in /v1/metrics/users
  id=$(cat /proc/sys/kernel/random/uuid); echo '{{"event_type":"user.registered","event_timestamp":"'$(date -u +%FT%TZ)'","user_id":"'$id'","phone":"+2348031234567","role":"RIDER","state":"Lagos","city":"Ikeja"}}' | kcat -P -b {kafka} -t openride.events.user -k $id

  # send a broken one, then find it with its reason
  echo 'not json' | kcat -P -b {kafka} -t openride.events.user
  curl localhost:{port}/v1/pipeline/dead-letters
"#
    )
}
