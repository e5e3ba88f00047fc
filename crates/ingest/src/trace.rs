//! The W3C `traceparent` header (Trace Context, level 2): taken over if it is valid, else made.

use http::HeaderMap;

use crate::Random;

/// Longest value that is taken over. Later versions may append fields to the 55 bytes of version 0.
const MAX_BYTES: usize = 128;

pub(crate) fn parent(headers: &HeaderMap, random: &Random) -> String {
    let mut values = headers.get_all("traceparent").iter();
    match (values.next().and_then(|value| value.to_str().ok()), values.next()) {
        (Some(text), None) if valid(text) => text.to_owned(),
        _ => fresh(random),
    }
}

fn fresh(random: &Random) -> String {
    let (mut trace, mut span) = ([0; 16], [0; 8]);
    trace[..10].copy_from_slice(&random());
    trace[10..].copy_from_slice(&random()[..6]);
    span.copy_from_slice(&random()[..8]);
    // All zeros means "no id", which a generator must not give out.
    trace[15] |= u8::from(trace == [0; 16]);
    span[7] |= u8::from(span == [0; 8]);
    format!("00-{}-{}-01", hex::encode(trace), hex::encode(span))
}

fn valid(text: &str) -> bool {
    let mut parts = text.split('-');
    let (Some(version), Some(trace), Some(span), Some(flags)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    text.len() <= MAX_BYTES
        && lower_hex(version, 2)
        && version != "ff"
        && lower_hex(trace, 32)
        && !zeros(trace)
        && lower_hex(span, 16)
        && !zeros(span)
        && lower_hex(flags, 2)
        && (version != "00" || parts.next().is_none())
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn lower_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn zeros(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'0')
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rstest::rstest;

    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[rstest]
    #[case(GOOD, true)]
    #[case("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later", true)]
    #[case("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later", false)]
    #[case("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false)]
    #[case("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false)]
    #[case("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false)]
    #[case("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false)]
    #[case("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", false)]
    #[case("", false)]
    #[case("pat@example.org", false)]
    fn only_the_w3c_form_is_taken_over(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(valid(text), expected);
    }

    #[test]
    fn what_is_made_is_valid_even_from_zeros() {
        let zeros: Random = Arc::new(|| [0; 10]);
        assert!(valid(&fresh(&zeros)), "{}", fresh(&zeros));
    }

    #[test]
    fn two_headers_are_as_good_as_none() {
        let random: Random = Arc::new(|| [7; 10]);
        let mut headers = HeaderMap::new();
        headers.append("traceparent", GOOD.parse().unwrap());
        assert_eq!(parent(&headers, &random), GOOD);
        headers.append("traceparent", GOOD.parse().unwrap());
        assert_eq!(parent(&headers, &random), fresh(&random));
    }
}
