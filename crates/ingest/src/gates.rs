//! What a source asks of a request before its body is read. All that are configured must pass.
//!
//! A gate stands beside the signature and never instead of it. Every comparison with something
//! secret takes the same time whatever is presented, and all alternatives are tried.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, HeaderValue};
use ipnet::IpNet;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use crate::client::{Origin, canonical, contains};

/// As configured. Empty lists are gates that do not exist.
#[derive(Clone, Default)]
pub struct Gates {
    pub allow_ips: Vec<IpNet>,
    /// User and password; any of them opens.
    pub basic_auth: Vec<(String, String)>,
    pub client_certs: Option<ClientCerts>,
}

/// Passwords are left out.
impl fmt::Debug for Gates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gates")
            .field("allow_ips", &self.allow_ips)
            .field("basic_auth", &self.basic_auth.len())
            .field("client_certs", &self.client_certs)
            .finish()
    }
}

/// The proxy checked a client certificate and tells us its fingerprint.
#[derive(Clone, Debug)]
pub struct ClientCerts {
    /// Read only if the peer is a trusted proxy, which must overwrite what a client sends.
    pub header: String,
    /// SHA-1 or SHA-256 in hex; colons and case do not matter. Several while rotating.
    pub fingerprints: Vec<String>,
}

/// Which gate stayed shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GateFault {
    Address,
    Certificate,
    Credentials,
}

/// [`Gates`], decoded once. Holds digests of passwords only.
pub(crate) struct Gate {
    allow_ips: Vec<IpNet>,
    credentials: Vec<[u8; 32]>,
    certificates: Option<Certificates>,
}

struct Certificates {
    header: HeaderName,
    fingerprints: Vec<Vec<u8>>,
}

impl Gate {
    /// The error is one sentence without anything secret.
    pub fn new(gates: &Gates) -> Result<Self, &'static str> {
        Ok(Self {
            allow_ips: gates.allow_ips.iter().copied().map(canonical).collect(),
            credentials: gates.basic_auth.iter().map(|pair| credentials(pair)).collect::<Result<_, _>>()?,
            certificates: gates.client_certs.as_ref().map(Certificates::new).transpose()?,
        })
    }

    pub fn check(&self, origin: &Origin, headers: &HeaderMap, trusted: &[IpNet]) -> Result<(), GateFault> {
        if !self.address_passes(origin, headers, trusted) {
            return Err(GateFault::Address);
        }
        if self.certificates.as_ref().is_some_and(|wanted| !wanted.pass(origin, headers)) {
            return Err(GateFault::Certificate);
        }
        if !self.credentials_pass(headers) {
            return Err(GateFault::Credentials);
        }
        Ok(())
    }

    fn address_passes(&self, origin: &Origin, headers: &HeaderMap, trusted: &[IpNet]) -> bool {
        self.allow_ips.is_empty()
            || origin.client(headers, trusted).is_some_and(|client| contains(&self.allow_ips, client))
    }

    fn credentials_pass(&self, headers: &HeaderMap) -> bool {
        if self.credentials.is_empty() {
            return true;
        }
        let presented = single(headers, &AUTHORIZATION).and_then(presented);
        presented.is_some_and(|digest| any(self.credentials.iter().map(|wanted| wanted.ct_eq(&digest))))
    }
}

impl Certificates {
    fn new(wanted: &ClientCerts) -> Result<Self, &'static str> {
        let header =
            wanted.header.parse().map_err(|_| "the name of the client certificate's header is no header name")?;
        let fingerprints: Option<Vec<_>> = wanted.fingerprints.iter().map(|text| fingerprint(text)).collect();
        let fingerprints =
            fingerprints.ok_or("a client certificate's fingerprint is not 40 (SHA-1) or 64 (SHA-256) hex digits")?;
        if fingerprints.is_empty() {
            return Err("a client certificate is asked for, but no fingerprint is given");
        }
        Ok(Self { header, fingerprints })
    }

    fn pass(&self, origin: &Origin, headers: &HeaderMap) -> bool {
        let value = if origin.peer_trusted { single(headers, &self.header) } else { None };
        let presented = value.and_then(|value| value.to_str().ok()).and_then(fingerprint);
        presented.is_some_and(|digest| any(self.fingerprints.iter().map(|wanted| wanted.ct_eq(&digest))))
    }
}

/// A second header of the name would leave open which of them the proxy wrote.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// Looks at all, so that the time does not tell which one matched.
fn any(matches: impl Iterator<Item = Choice>) -> bool {
    matches.fold(Choice::from(0), |found, one| found | one).into()
}

fn fingerprint(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.trim().chars().filter(|digit| *digit != ':').collect();
    hex::decode(digits).ok().filter(|bytes| matches!(bytes.len(), 20 | 32))
}

/// RFC 7617: the user cannot hold a colon, and an empty password is a mistake of configuration.
fn credentials((user, password): &(String, String)) -> Result<[u8; 32], &'static str> {
    if user.contains(':') {
        return Err("a user of basic_auth holds a colon");
    }
    if password.is_empty() {
        return Err("a password of basic_auth is empty");
    }
    Ok(Sha256::digest(format!("{user}:{password}")).into())
}

/// Digests, because comparing them tells nothing about the length of the password.
fn presented(value: &HeaderValue) -> Option<[u8; 32]> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let pair = STANDARD.decode(token.trim()).ok()?;
    scheme.eq_ignore_ascii_case("basic").then(|| Sha256::digest(pair).into())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const SHA1: &str = "0123456789abcdef0123456789abcdef01234567";
    const SHA256: &str = "00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff";

    fn basic(pair: &str) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    /// `gates` names the gates to build; the result of the check for one request.
    fn check(gates: &str, peer: &str, headers: &[(&str, &str)]) -> Result<(), GateFault> {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        let configured = Gates {
            allow_ips: if gates.contains("ip") { vec!["198.51.100.0/24".parse().unwrap()] } else { vec![] },
            basic_auth: if gates.contains("auth") {
                vec![("old".into(), "first:pass".into()), ("new".into(), "second".into())]
            } else {
                vec![]
            },
            client_certs: gates.contains("cert").then(|| ClientCerts {
                header: "X-Client-Fingerprint".into(),
                fingerprints: vec![SHA1.into(), SHA256.into()],
            }),
        };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        Gate::new(&configured).unwrap().check(&Origin::new(peer.parse().unwrap(), &trusted), &map, &trusted)
    }

    #[rstest]
    #[case("", "203.0.113.9", Ok(()))]
    #[case("ip", "198.51.100.7", Ok(()))]
    #[case("ip", "::ffff:198.51.100.7", Ok(()))]
    #[case("ip", "203.0.113.9", Err(GateFault::Address))]
    #[case("ip", "10.0.0.1", Err(GateFault::Address))]
    #[case("auth", "203.0.113.9", Err(GateFault::Credentials))]
    #[case("cert", "10.0.0.1", Err(GateFault::Certificate))]
    #[case("ip cert auth", "203.0.113.9", Err(GateFault::Address))]
    #[case("cert auth", "203.0.113.9", Err(GateFault::Certificate))]
    fn without_headers(#[case] gates: &str, #[case] peer: &str, #[case] expected: Result<(), GateFault>) {
        assert_eq!(check(gates, peer, &[]), expected);
    }

    #[rstest]
    #[case("198.51.100.7", Ok(()))]
    #[case("198.51.100.7, 203.0.113.9", Err(GateFault::Address))]
    #[case("unknown", Err(GateFault::Address))]
    fn addresses_behind_a_proxy(#[case] hops: &str, #[case] expected: Result<(), GateFault>) {
        assert_eq!(check("ip", "10.0.0.1", &[("x-forwarded-for", hops)]), expected);
        assert_eq!(check("ip", "203.0.113.9", &[("x-forwarded-for", hops)]), Err(GateFault::Address));
    }

    #[rstest]
    #[case(&basic("old:first:pass"), true)]
    #[case(&basic("new:second"), true)]
    #[case(&basic("new:second").replacen("Basic", "bASIC", 1), true)]
    #[case(&basic("new:first:pass"), false)]
    #[case(&basic("new:secon"), false)]
    #[case(&basic("new:"), false)]
    #[case(&basic("second"), false)]
    #[case("Basic ?", false)]
    #[case("Basic", false)]
    #[case("Bearer bmV3OnNlY29uZA==", false)]
    fn passwords(#[case] value: &str, #[case] passes: bool) {
        let expected = if passes { Ok(()) } else { Err(GateFault::Credentials) };
        assert_eq!(check("auth", "203.0.113.9", &[("authorization", value)]), expected);
    }

    #[rstest]
    #[case(SHA1, true)]
    #[case(SHA256, true)]
    #[case(&SHA1.to_uppercase(), true)]
    #[case("01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67", true)]
    #[case(&SHA256[..40], false)]
    #[case(&SHA1.replace('0', "1"), false)]
    #[case("", false)]
    #[case("no hex at all", false)]
    fn fingerprints(#[case] value: &str, #[case] passes: bool) {
        let header = [("x-client-fingerprint", value)];
        let expected = if passes { Ok(()) } else { Err(GateFault::Certificate) };
        assert_eq!(check("cert", "10.0.0.1", &header), expected);
        assert_eq!(check("cert", "203.0.113.9", &header), Err(GateFault::Certificate), "not from a trusted proxy");
    }

    #[test]
    fn two_headers_of_one_name_prove_nothing() {
        let twice = [("x-client-fingerprint", SHA1), ("x-client-fingerprint", SHA1)];
        assert_eq!(check("cert", "10.0.0.1", &twice), Err(GateFault::Certificate));
    }

    #[test]
    fn all_gates_together() {
        let auth = basic("new:second");
        let good = [("x-forwarded-for", "198.51.100.7"), ("x-client-fingerprint", SHA1), ("authorization", &*auth)];
        assert_eq!(check("ip cert auth", "10.0.0.1", &good), Ok(()));
        assert_eq!(check("ip cert auth", "10.0.0.1", &good[..2]), Err(GateFault::Credentials));
        assert_eq!(check("ip cert auth", "10.0.0.1", &good[..1]), Err(GateFault::Certificate));
    }

    #[rstest]
    #[case(ClientCerts { header: "bad name".into(), fingerprints: vec![SHA1.into()] })]
    #[case(ClientCerts { header: "x-fine".into(), fingerprints: vec![] })]
    #[case(ClientCerts { header: "x-fine".into(), fingerprints: vec!["abcd".into()] })]
    fn a_gate_that_cannot_work_is_refused(#[case] certs: ClientCerts) {
        assert!(Gate::new(&Gates { client_certs: Some(certs), ..Gates::default() }).is_err());
    }

    #[rstest]
    #[case("a:b", "secret")]
    #[case("user", "")]
    fn credentials_that_cannot_work_are_refused(#[case] user: &str, #[case] password: &str) {
        assert!(Gate::new(&Gates { basic_auth: vec![(user.into(), password.into())], ..Gates::default() }).is_err());
    }

    #[test]
    fn debug_shows_no_password() {
        let gates = Gates { basic_auth: vec![("pat".into(), "hunter-two".into())], ..Gates::default() };
        assert!(!format!("{gates:?}").contains("hunter"));
    }
}
