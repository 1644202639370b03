//! Which web pages may connect: a browser sends the cookies and reaches the networks of its user, whoever wrote the page.
//!
//! Not here: clients that are no browsers; they send no Origin, and could send any.

use std::net::{Ipv4Addr, Ipv6Addr};

use hyper::Uri;
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use hyper::http::uri::Authority;

/// The pages that a listener is open to; none: its own, where its name cannot be made to mean another machine.
#[derive(Debug)]
pub(super) struct Origins(Vec<String>);

/// Why a page may not connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum OriginRefusal {
    #[error("the request's Origin or Host cannot be read")]
    Unreadable,
    #[error("this page's origin is not among the listener's origins")]
    NotListed,
    #[error("this page comes from another address, and the listener has no origins configured")]
    Elsewhere,
    #[error(
        "a page at a host name may connect only if the listener's origins name it: anybody can have a name point here"
    )]
    Name,
}

/// Scheme, host and port; the port is never left out.
#[derive(Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origins {
    pub(super) fn new(configured: &[String]) -> Origins {
        Origins(configured.to_vec())
    }

    /// Whether the page that this request's headers speak of may connect.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<(), OriginRefusal> {
        if !headers.contains_key(ORIGIN) {
            return Ok(());
        }
        let origin = only(headers, ORIGIN).and_then(Origin::read).ok_or(OriginRefusal::Unreadable)?;
        if !self.0.is_empty() {
            let is_listed = self.0.iter().any(|listed| Origin::read(listed).as_ref() == Some(&origin));
            return if is_listed { Ok(()) } else { Err(OriginRefusal::NotListed) };
        }
        let host = only(headers, HOST).ok_or(OriginRefusal::Unreadable)?;
        let own = Origin::read(&format!("{}://{host}", origin.scheme)).ok_or(OriginRefusal::Unreadable)?;
        match own == origin {
            false => Err(OriginRefusal::Elsewhere),
            true if origin.is_name() => Err(OriginRefusal::Name),
            true => Ok(()),
        }
    }
}

impl Origin {
    fn read(text: &str) -> Option<Origin> {
        let uri: Uri = text.parse().ok()?;
        let authority: &Authority = uri.authority()?;
        let scheme = uri.scheme_str()?.to_owned();
        let port = match (authority.port_u16(), scheme.as_str()) {
            (Some(port), "http" | "https") => port,
            (None, "http") => 80,
            (None, "https") => 443,
            _ => return None,
        };
        let has_more = uri.query().is_some() || uri.path() != "/" || authority.as_str().contains('@');
        (!has_more).then(|| Origin { scheme, host: authority.host().to_ascii_lowercase(), port })
    }

    fn is_name(&self) -> bool {
        let v6 = self.host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_address =
            self.host.parse::<Ipv4Addr>().is_ok() || v6.is_some_and(|host| host.parse::<Ipv6Addr>().is_ok());
        !is_address && self.host != "localhost"
    }
}

/// A header that stands there once.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value: &HeaderValue = values.next()?;
    values.next().is_none().then_some(())?;
    value.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(listed: &[&str], origin: &str, host: &str) -> Result<(), OriginRefusal> {
        let listed: Vec<String> = listed.iter().map(|&listed| listed.to_owned()).collect();
        let headers = [(ORIGIN, origin), (HOST, host)].map(|(name, value)| (name, value.parse().unwrap()));
        Origins::new(&listed).admit(&headers.into_iter().collect())
    }

    #[test]
    fn a_client_that_is_no_browser_is_admitted() {
        assert_eq!(Origins::new(&["https://crm.example".to_owned()]).admit(&HeaderMap::new()), Ok(()));
    }

    #[test]
    fn only_listed_pages_are_admitted_where_some_are_listed() {
        let listed = ["https://crm.example", "http://Desk.example:8080"];
        for origin in ["https://crm.example", "https://crm.example:443", "http://desk.example:8080"] {
            assert_eq!(admitted(&listed, origin, "gateway:42028"), Ok(()), "{origin}");
        }
        let others = [
            "http://crm.example",
            "https://crm.example:444",
            "https://crm.example.evil.example",
            "https://evil.example",
            "http://127.0.0.1:42028",
        ];
        for origin in others {
            assert_eq!(admitted(&listed, origin, "127.0.0.1:42028"), Err(OriginRefusal::NotListed), "{origin}");
        }
    }

    #[test]
    fn the_listeners_own_pages_are_admitted_at_an_address_or_localhost() {
        let own = [
            ("http://127.0.0.1:42028", "127.0.0.1:42028"),
            ("http://[::1]:42028", "[::1]:42028"),
            ("http://localhost:42028", "LocalHost:42028"),
            ("http://localhost", "localhost:80"),
            ("https://10.0.0.7", "10.0.0.7"),
        ];
        for (origin, host) in own {
            assert_eq!(admitted(&[], origin, host), Ok(()), "{origin} at {host}");
        }
    }

    #[test]
    fn a_name_that_anybody_could_point_here_is_not_trusted() {
        for name in ["evil.example:42028", "localhost.evil.example:42028", "127.0.0.1.evil.example:42028", "1.evil:1"] {
            assert_eq!(admitted(&[], &format!("http://{name}"), name), Err(OriginRefusal::Name), "{name}");
        }
    }

    #[test]
    fn pages_from_elsewhere_and_unreadable_ones_are_refused() {
        for (origin, host) in [
            ("http://evil.example", "127.0.0.1:42028"),
            ("http://127.0.0.1:42029", "127.0.0.1:42028"),
            ("https://127.0.0.1", "127.0.0.1:80"),
        ] {
            assert_eq!(admitted(&[], origin, host), Err(OriginRefusal::Elsewhere), "{origin} at {host}");
        }
        for origin in ["null", "", "file://", "http://localhost@evil.example", "http://localhost/x", "localhost"] {
            assert_eq!(admitted(&[], origin, "localhost"), Err(OriginRefusal::Unreadable), "{origin:?}");
        }
        let mut twice = HeaderMap::new();
        twice.append(ORIGIN, HeaderValue::from_static("http://localhost"));
        twice.append(ORIGIN, HeaderValue::from_static("http://evil.example"));
        twice.append(HOST, HeaderValue::from_static("localhost"));
        assert_eq!(Origins::new(&[]).admit(&twice), Err(OriginRefusal::Unreadable));
    }
}
