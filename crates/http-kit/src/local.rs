//! Who speaks from this very machine, and for nobody else.

use actix_web::dev::RequestHead;
use actix_web::http::header::{HOST, HeaderName};

/// What proxies add. One that adds none of these cannot be told from a visitor on this machine: the runbook says so.
const FORWARDING: [HeaderName; 6] = [
    HeaderName::from_static("forwarded"),
    HeaderName::from_static("via"),
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
];

/// Whether a request comes from this machine, through no proxy, and asks for this machine by name. The last keeps out
/// a foreign page whose name was made to point here.
#[must_use]
pub fn is_local(head: &RequestHead) -> bool {
    let is_near = head.peer_addr.is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    let is_direct = FORWARDING.iter().all(|name| !head.headers.contains_key(name));
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
    is_near && is_direct && host.is_some_and(is_loopback_name)
}

fn is_loopback_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_this_machine_goes_by_a_loopback_name() {
        for host in ["localhost", "localhost:8686", "127.0.0.1:8686", "127.8.8.8", "[::1]:8686", "[::1]"] {
            assert!(is_loopback_name(host), "{host}");
        }
        for host in
            ["", "evil.example", "localhost.evil.example:8686", "10.0.0.1", "127.0.0.1.evil.example:80"]
        {
            assert!(!is_loopback_name(host), "{host}");
        }
    }

    #[test]
    fn whoever_came_through_a_proxy_or_from_elsewhere_is_not_local() {
        let near = || {
            let request = TestRequest::get().peer_addr(([127, 0, 0, 1], 50_000).into());
            request.insert_header((HOST, "127.0.0.1:8686"))
        };
        assert!(is_local(near().to_http_request().head()));
        for name in FORWARDING {
            assert!(!is_local(near().insert_header((name.clone(), "x")).to_http_request().head()), "{name}");
        }
        assert!(!is_local(near().insert_header((HOST, "salon.example")).to_http_request().head()));
        assert!(!is_local(near().peer_addr(([10, 0, 0, 1], 50_000).into()).to_http_request().head()));
    }
}
