//! Who sent a request, when proxies stand in between.
//!
//! `X-Forwarded-For` is a list to which every proxy appends the address it saw. Whatever stands
//! left of the last address that no trusted proxy wrote was written by the sender and proves
//! nothing, so the client is the right-most hop that is not a trusted proxy. `Forwarded`
//! (RFC 7239) is not read: two headers with one meaning are two chances to disagree.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::{IpNet, Ipv4Net};

/// Where a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The other end of the connection, IPv4-mapped addresses as IPv4.
    pub peer: IpAddr,
    /// Whether that is a proxy whose headers count.
    pub peer_trusted: bool,
}

impl Origin {
    pub fn new(peer: IpAddr, trusted: &[IpNet]) -> Self {
        let peer = peer.to_canonical();
        Self { peer, peer_trusted: contains(trusted, peer) }
    }

    /// The client's address; `None` if a proxy named something unreadable.
    pub fn client(&self, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
        if !self.peer_trusted {
            return Some(self.peer);
        }
        let lines = headers.get_all("x-forwarded-for").iter().collect::<Vec<_>>();
        let mut client = self.peer;
        for line in lines.into_iter().rev() {
            for hop in line.to_str().ok()?.rsplit(',').map(str::trim).filter(|hop| !hop.is_empty()) {
                client = parse(hop)?;
                if !contains(trusted, client) {
                    return Some(client);
                }
            }
        }
        Some(client)
    }
}

pub(crate) fn contains(nets: &[IpNet], address: IpAddr) -> bool {
    nets.iter().any(|net| net.contains(&address))
}

/// `::ffff:192.0.2.0/120` means the same addresses as `192.0.2.0/24`.
pub(crate) fn canonical(net: IpNet) -> IpNet {
    let IpNet::V6(v6) = net else { return net };
    let mapped = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    mapped.and_then(|(address, length)| Ipv4Net::new(address, length).ok()).map_or(net, IpNet::V4)
}

/// Proxies write an address bare, in brackets, or with a port.
fn parse(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    let address = bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn nets(list: &[&str]) -> Vec<IpNet> {
        list.iter().map(|net| canonical(net.parse().unwrap())).collect()
    }

    #[rstest]
    #[case::direct("203.0.113.9", &[], Some("203.0.113.9"))]
    #[case::a_stranger_is_not_believed("203.0.113.9", &["198.51.100.1"], Some("203.0.113.9"))]
    #[case::one_hop("10.0.0.1", &["198.51.100.1"], Some("198.51.100.1"))]
    #[case::what_the_sender_wrote_is_left("10.0.0.1", &["192.0.2.66, 198.51.100.1"], Some("198.51.100.1"))]
    #[case::a_chain_of_our_own("10.0.0.1", &["192.0.2.66, 198.51.100.1, 10.9.9.9"], Some("198.51.100.1"))]
    #[case::several_lines_are_one_list("10.0.0.1", &["192.0.2.66", "198.51.100.1", "10.0.0.7"], Some("198.51.100.1"))]
    #[case::only_ours("10.0.0.1", &["10.0.0.3, 10.0.0.2"], Some("10.0.0.3"))]
    #[case::no_header("10.0.0.1", &[], Some("10.0.0.1"))]
    #[case::empty_header("10.0.0.1", &[""], Some("10.0.0.1"))]
    #[case::empty_elements("10.0.0.1", &["198.51.100.1, ,"], Some("198.51.100.1"))]
    #[case::a_port("10.0.0.1", &["198.51.100.1:5060"], Some("198.51.100.1"))]
    #[case::brackets("10.0.0.1", &["[2001:db8::7]"], Some("2001:db8::7"))]
    #[case::brackets_and_port("10.0.0.1", &["[2001:db8::7]:443"], Some("2001:db8::7"))]
    #[case::mapped_hop("10.0.0.1", &["::ffff:198.51.100.1"], Some("198.51.100.1"))]
    #[case::mapped_peer("::ffff:10.0.0.1", &["198.51.100.1"], Some("198.51.100.1"))]
    #[case::mapped_stranger("::ffff:203.0.113.9", &["198.51.100.1"], Some("203.0.113.9"))]
    #[case::unreadable("10.0.0.1", &["198.51.100.1, unknown"], None)]
    #[case::unreadable_behind_ours("10.0.0.1", &["198.51.100.1, _hidden, 10.0.0.2"], None)]
    #[case::unreadable_left_of_the_client("10.0.0.1", &["garbage, 198.51.100.1"], Some("198.51.100.1"))]
    #[case::half_a_bracket("10.0.0.1", &["[2001:db8::7"], None)]
    #[case::trusted_v6("fd00::1", &["198.51.100.1, fd00::2"], Some("198.51.100.1"))]
    fn the_right_most_untrusted_hop(#[case] peer: &str, #[case] lines: &[&str], #[case] expected: Option<&str>) {
        let trusted = nets(&["10.0.0.0/8", "fd00::/8"]);
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let origin = Origin::new(peer.parse().unwrap(), &trusted);
        assert_eq!(origin.client(&headers, &trusted), expected.map(|address| address.parse().unwrap()));
    }

    #[test]
    fn bytes_that_are_no_text_are_unreadable() {
        let trusted = nets(&["10.0.0.0/8"]);
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", http::HeaderValue::from_bytes(b"\xff\xfe").unwrap());
        assert_eq!(Origin::new("10.0.0.1".parse().unwrap(), &trusted).client(&headers, &trusted), None);
    }

    #[test]
    fn a_mapped_net_covers_the_plain_addresses() {
        let list = nets(&["::ffff:192.0.2.0/120", "2001:db8::/32"]);
        assert!(contains(&list, "192.0.2.200".parse().unwrap()));
        assert!(!contains(&list, "192.0.3.1".parse().unwrap()));
        assert!(contains(&list, "2001:db8::1".parse().unwrap()));
    }
}
