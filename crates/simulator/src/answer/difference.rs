//! How an answer of the API differs from the key.

use serde_json::Value;

/// Every place where `answer` lacks or contradicts a field of `expected`, as `path: expected …, found …`.
///
/// Fields that only the answer has are none of the key's business. Numbers compare by value (`50` is `50.0`).
#[must_use]
pub fn differences(expected: &Value, answer: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("$", expected, answer, &mut found);
    found
}

fn compare(path: &str, expected: &Value, answer: &Value, found: &mut Vec<String>) {
    match (expected, answer) {
        (Value::Object(wanted), Value::Object(given)) => {
            for (name, value) in wanted {
                let path = format!("{path}.{name}");
                match given.get(name) {
                    Some(given) => compare(&path, value, given, found),
                    None => found.push(format!("{path}: expected {value}, found no such field")),
                }
            }
        }
        (Value::Array(wanted), Value::Array(given)) => {
            if wanted.len() != given.len() {
                found.push(format!(
                    "{path}: expected {} entries, found {}",
                    wanted.len(),
                    given.len()
                ));
            }
            for (index, (wanted, given)) in wanted.iter().zip(given).enumerate() {
                compare(&format!("{path}[{index}]"), wanted, given, found);
            }
        }
        _ if same(expected, answer) => {}
        _ => found.push(format!("{path}: expected {expected}, found {answer}")),
    }
}

fn same(expected: &Value, answer: &Value) -> bool {
    match (expected.as_f64(), answer.as_f64()) {
        (Some(expected), Some(answer)) => expected.total_cmp(&answer).is_eq(),
        _ => expected == answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn additional_fields_and_the_form_of_numbers_do_not_matter() {
        let answer = json!({"rate": 50, "more": 1, "list": [{"id": "a", "x": 2}]});
        assert!(differences(&json!({"rate": 50.0, "list": [{"id": "a"}]}), &answer).is_empty());
    }

    #[test]
    fn each_difference_is_named_by_its_path() {
        let expected =
            json!({"rate": 33.33, "money": "1.00", "none": null, "list": [1, 2], "gone": 0});
        let answer = json!({"rate": 33.34, "money": 1.0, "none": 0, "list": [1]});
        let found = differences(&expected, &answer);
        assert_eq!(
            found,
            [
                "$.gone: expected 0, found no such field",
                "$.list: expected 2 entries, found 1",
                "$.money: expected \"1.00\", found 1.0",
                "$.none: expected null, found 0",
                "$.rate: expected 33.33, found 33.34",
            ]
        );
    }
}
