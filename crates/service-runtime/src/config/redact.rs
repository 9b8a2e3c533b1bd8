use serde_json::Value;

use super::{
    ConfigError, Settings,
    catalogue::{Catalogue, put},
    secret::REDACTED,
};

/// The configuration as JSON without its secrets, to be printed once at start.
///
/// Besides every setting declared as a [`Secret`](super::Secret), passwords inside URLs are left out.
pub fn redacted<T: Settings>(config: &T) -> Result<Value, ConfigError> {
    let catalogue = Catalogue::of::<T>()?;
    let mut tree = serde_json::to_value(config).map_err(|error| ConfigError::Type {
        type_name: std::any::type_name::<T>(),
        message: format!("it does not serialize: {error}"),
    })?;
    for setting in catalogue
        .settings
        .iter()
        .filter(|setting| setting.kind.is_secret())
    {
        let given = super::catalogue::at(&tree, &setting.path).is_some_and(is_given);
        if given {
            put(&mut tree, &setting.path, Value::from(REDACTED));
        }
    }
    hide_passwords(&mut tree);
    Ok(tree)
}

/// Whether a secret has a value at all.
pub(super) fn is_given(value: &Value) -> bool {
    !matches!(value, Value::Null) && value.as_str() != Some("")
}

fn hide_passwords(value: &mut Value) {
    match value {
        Value::String(text) => *text = without_password(text),
        Value::Array(items) => items.iter_mut().for_each(hide_passwords),
        Value::Object(table) => table.values_mut().for_each(hide_passwords),
        _ => {}
    }
}

/// A URL without its password, whether it stands before the host or as a query parameter. Works on
/// texts that are no valid URLs as well, because those are the ones that end up in error messages.
pub(super) fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let (place, query) = match rest.split_once('?') {
        Some((place, query)) => (place, Some(query)),
        None => (rest, None),
    };
    let mut shown = format!("{scheme}://{}", without_user_password(place));
    if let Some(query) = query {
        let parameters: Vec<String> = query.split('&').map(without_value).collect();
        shown.push('?');
        shown.push_str(&parameters.join("&"));
    }
    shown
}

fn without_user_password(place: &str) -> String {
    let hidden = || {
        let (user_info, host) = place.rsplit_once('@')?;
        let (user, _password) = user_info.split_once(':')?;
        Some(format!("{user}:{REDACTED}@{host}"))
    };
    hidden().unwrap_or_else(|| place.to_owned())
}

fn without_value(parameter: &str) -> String {
    match parameter.split_once('=') {
        Some((name, _)) if name.to_ascii_lowercase().contains("password") => {
            format!("{name}={REDACTED}")
        }
        _ => parameter.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn a_password_in_a_url_is_hidden_even_when_the_url_is_malformed() {
        let cases = [
            (
                "postgres://ride:pa/s@s:w0rd@db:5432/x",
                "postgres://ride:[redacted]@db:5432/x",
            ),
            (
                "postgres://db/x?user=a&password=w0rd&sslmode=require",
                "postgres://db/x?user=a&password=[redacted]&sslmode=require",
            ),
            (
                "http://u:p@host:notaport",
                "http://u:[redacted]@host:notaport",
            ),
            ("http://host:8123/", "http://host:8123/"),
            ("user:pass@host", "user:pass@host"),
        ];
        for (text, expected) in cases {
            assert_eq!(without_password(text), expected);
        }
    }
}
