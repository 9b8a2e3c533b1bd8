/// A change of the API shows in this snapshot. Its clients were generated from the one before.
#[test]
fn the_description() {
    let description = serde_json::to_string_pretty(&super::document()).unwrap();
    insta::assert_snapshot!(description);
}
