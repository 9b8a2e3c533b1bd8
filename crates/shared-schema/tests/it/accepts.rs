//! Events that are as the contract says.

use shared_schema::EventType;

use crate::samples::{decode_as, fixture};

#[test]
fn the_example_of_every_type_is_accepted() {
    for &kind in EventType::ALL {
        let bytes = fixture(kind);
        let decoded =
            decode_as(kind, &bytes).unwrap_or_else(|rejection| panic!("{kind}: {rejection}"));
        assert_eq!(decoded.event_type, kind);
        assert_eq!(decoded.entity_id, decoded.event.entity_id());
    }
}
