use serde_json::{Value, json};

/// A change of the API shows in this snapshot. Its clients were generated from the one before.
#[test]
fn the_description() {
    let description = serde_json::to_string_pretty(&super::document()).unwrap();
    insta::assert_snapshot!(description);
}

#[test]
fn every_example_fits_its_schema() {
    let document = serde_json::to_value(super::document()).unwrap();
    let mut tried = 0;
    let mut fits = |schema: &Value, example: &Value, what: &str| {
        let schemas = &document["components"]["schemas"];
        let whole = json!({"allOf": [schema], "components": {"schemas": schemas}});
        let validator = jsonschema::draft202012::new(&whole).unwrap();
        let problem = validator.validate(example).err();
        assert!(problem.is_none(), "{what}: {}: {example}", problem.unwrap());
        tried += 1;
    };
    let operations = document["paths"].as_object().unwrap().values();
    for operation in operations.flat_map(|methods| methods.as_object().unwrap().values()) {
        let id = operation["operationId"].as_str().unwrap();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let schema = &parameter["schema"];
            for example in [&parameter["example"], &schema["default"]] {
                if !example.is_null() {
                    fits(schema, example, id);
                }
            }
        }
        let answers = operation["responses"].as_object().unwrap().values();
        let contents = answers
            .chain([&operation["requestBody"]])
            .filter_map(|body| body["content"].as_object());
        for content in contents.flat_map(|content| content.values()) {
            if !content["example"].is_null() {
                fits(&content["schema"], &content["example"], id);
            }
            for name in content["examples"]
                .as_object()
                .into_iter()
                .flat_map(|all| all.keys())
            {
                let example = &document["components"]["examples"][name]["value"];
                fits(&content["schema"], example, id);
            }
        }
    }
    assert!(tried > 300, "{tried}");
}
