//! What a provider signs here, it believes; nobody else's key does.

use jiff::Timestamp;
use proptest::collection::{btree_map, vec};
use proptest::prelude::{Strategy, any};
use proptest::{prop_assert_eq, proptest};
use rollbook_providers::{KeyFault, PROVIDERS, Request, Secret, SignatureFault, find};

const SEED: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// The public key of `SEED` (RFC 8032), computed elsewhere.
const PUBLIC: &str = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";

fn secret(text: &str) -> Secret {
    Secret { key_id: None, text: text.to_owned() }
}

/// A form with distinct names, or any bytes where the scheme does not care.
fn body(provider: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let is_form = provider == "cybersource-secure-acceptance";
    let form = btree_map("[a-z_0-9]{1,12}", any::<String>(), 0..12)
        .prop_map(|fields| form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes());
    (form, vec(any::<u8>(), 0..300)).prop_map(move |(form, bytes)| if is_form { form } else { bytes })
}

proptest! {
    #[test]
    fn what_is_signed_is_believed(
        row in 0..PROVIDERS.len(),
        bodies in PROVIDERS.iter().map(|provider| body(provider.name())).collect::<Vec<_>>(),
        second in 0_i64..4_000_000_000,
        skew_s in -300_i64..=300,
    ) {
        let provider = PROVIDERS[row];
        let (ours, other) = (secret(SEED), secret("c29tZW9uZSBlbHNlJ3Mgc2VjcmV0IGtleQ=="));
        let signed_at = Timestamp::from_second(second).unwrap();
        let now = Timestamp::from_second(second + skew_s).unwrap();
        let signed = provider.sign(&ours, &bodies[row], "msg_1", signed_at).unwrap();
        let request = Request { headers: &signed.headers, body: &signed.body };
        let keys = |secrets: &[Secret]| provider.keys(secrets).unwrap();
        prop_assert_eq!(provider.verify(&keys(std::slice::from_ref(&ours)), &request, now), Ok(()));
        prop_assert_eq!(provider.verify(&keys(&[other.clone(), ours]), &request, now), Ok(()));
        prop_assert_eq!(provider.verify(&keys(&[other]), &request, now), Err(SignatureFault::Mismatch));
    }

    #[test]
    fn ed25519_is_believed(bytes in vec(any::<u8>(), 0..300)) {
        let provider = find("standard-webhooks").unwrap();
        let now = Timestamp::from_second(1_772_636_400).unwrap();
        let keys = provider.keys(&[secret(&format!("whpk_{PUBLIC}"))]).unwrap();
        let mut signed = provider.sign(&secret(&format!("whsk_{SEED}")), &bytes, "msg_1", now).unwrap();
        let request = Request { headers: &signed.headers, body: &signed.body };
        prop_assert_eq!(provider.verify(&keys, &request, now), Ok(()));
        signed.body.push(b' ');
        let request = Request { headers: &signed.headers, body: &signed.body };
        prop_assert_eq!(provider.verify(&keys, &request, now), Err(SignatureFault::Mismatch));
    }
}

#[test]
fn no_provider_takes_an_empty_secret_or_none() {
    for provider in PROVIDERS {
        assert_eq!(provider.keys(&[]).err(), Some(KeyFault::None), "{}", provider.name());
        for text in ["", " "] {
            assert_eq!(
                provider.keys(&[secret(SEED), secret(text)]).err(),
                Some(KeyFault::Empty),
                "{}",
                provider.name()
            );
            let now = Timestamp::UNIX_EPOCH;
            assert_eq!(provider.sign(&secret(text), b"", "", now).err(), Some(KeyFault::Empty), "{}", provider.name());
        }
    }
    for name in ["stripe", "standard-webhooks"] {
        assert_eq!(find(name).unwrap().keys(&[secret("whsec_")]).err(), Some(KeyFault::Empty), "{name}");
    }
}

#[test]
fn debug_output_holds_no_secret() {
    for provider in PROVIDERS {
        let ours = secret(SEED);
        let shown = format!("{ours:?} {:?}", provider.keys(std::slice::from_ref(&ours)).unwrap());
        assert!(!shown.contains("AAEC") && !shown.contains("[0, 1, 2"), "{shown}");
    }
}
