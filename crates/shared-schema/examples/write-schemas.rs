//! Writes the JSON Schemas of all event types to `schemas/`, from the types that decode.

use std::path::Path;

use shared_schema::{EventType, schema_of};

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    for &kind in EventType::ALL {
        let text = format!("{:#}\n", schema_of(kind).as_value());
        std::fs::write(folder.join(format!("{kind}.json")), text)?;
    }
    Ok(())
}
