//! Where everybody is let in, pages of elsewhere are not.

use std::net::IpAddr;

use actix_web::http::{
    header::{HOST, HeaderMap, HeaderValue, ORIGIN},
    uri::Authority,
};

/// What shows that a request comes of a page of elsewhere that was opened on this machine: the host that it asks, whose name
/// was made to lead here, or the page's origin, which is neither this host nor one of these.
pub(super) fn page_of_elsewhere(headers: &HeaderMap, origins: &[String]) -> Option<String> {
    let host = headers.get(HOST).map_or("", text);
    if !is_this_machine(host) {
        return Some(host.to_owned());
    }
    let origin = headers.get(ORIGIN).map(text)?;
    let is_host = origin.split_once("://").is_some_and(|(_, at)| at == host);
    let is_allowed = is_host || origins.iter().any(|allowed| allowed == origin);
    (!is_allowed).then(|| origin.to_owned())
}

fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or_default()
}

fn is_this_machine(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: &str = "https://dashboard.example";

    fn found(host: &str, origin: Option<&str>) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        page_of_elsewhere(&headers, &[ALLOWED.to_owned()])
    }

    #[test]
    fn this_machine_is_asked_by_its_own_names() {
        for host in [
            "localhost",
            "LOCALHOST:8097",
            "127.0.0.1:8097",
            "127.8.8.8",
            "[::1]:80",
        ] {
            assert_eq!(found(host, None), None, "{host}");
        }
        for host in [
            "rides.example",
            "localhost.rides.example",
            "127.0.0.1.rides.example:8097",
            "10.0.0.1:8097",
            "[::2]",
            "",
        ] {
            assert_eq!(found(host, None), Some(host.to_owned()));
        }
        let nothing = page_of_elsewhere(&HeaderMap::new(), &[]);
        assert_eq!(nothing, Some(String::new()));
    }

    #[test]
    fn a_page_asks_if_it_is_of_this_service_or_allowed() {
        for origin in ["http://localhost:8097", "https://localhost:8097", ALLOWED] {
            assert_eq!(found("localhost:8097", Some(origin)), None, "{origin}");
        }
        for origin in [
            "http://localhost:3000",
            "http://127.0.0.1:8097",
            "https://a.example",
            "null",
            "",
        ] {
            let refused = found("localhost:8097", Some(origin));
            assert_eq!(refused, Some(origin.to_owned()));
        }
    }
}
