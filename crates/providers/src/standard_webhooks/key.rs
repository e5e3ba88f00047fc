//! Secrets of Standard Webhooks: `whsec_`, `whpk_` and `whsk_` before base64; without a prefix it is
//! an HMAC secret.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ring::signature::Ed25519KeyPair;

use crate::provider::{Key, KeyMaterial};
use crate::{KeyFault, Secret};

/// Senders show secrets with and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) enum SigningKey {
    Hmac(Vec<u8>),
    Ed25519(Ed25519KeyPair),
}

/// The key that a receiver needs. The sender's private key is refused: whoever holds it can sign,
/// and not to hold it is why a sender offers `v1a`.
pub(super) fn verifying(secret: &Secret) -> Result<Key, KeyFault> {
    let text = secret.text.trim();
    if text.starts_with("whsk_") {
        return Err(KeyFault::Malformed("whsk_ is the sender's private key; give the whpk_ that belongs to it"));
    }
    let material = match text.strip_prefix("whpk_") {
        Some(rest) => {
            let public = decode(rest)?.try_into();
            KeyMaterial::Ed25519(public.map_err(|_| KeyFault::Malformed("whpk_ needs 32 bytes in base64"))?)
        }
        None => KeyMaterial::Hmac(decode(text.strip_prefix("whsec_").unwrap_or(text))?),
    };
    Ok(Key { id: secret.key_id.clone(), material })
}

pub(super) fn signing(secret: &Secret) -> Result<SigningKey, KeyFault> {
    let text = secret.text.trim();
    if text.starts_with("whpk_") {
        return Err(KeyFault::Malformed("whpk_ is a public key and cannot sign; give whsec_ or whsk_"));
    }
    match text.strip_prefix("whsk_") {
        Some(rest) => Ok(SigningKey::Ed25519(pair(&decode(rest)?)?)),
        None => Ok(SigningKey::Hmac(decode(text.strip_prefix("whsec_").unwrap_or(text))?)),
    }
}

fn pair(bytes: &[u8]) -> Result<Ed25519KeyPair, KeyFault> {
    let pair = match bytes.len() {
        32 => Ed25519KeyPair::from_seed_unchecked(bytes),
        64 => Ed25519KeyPair::from_seed_and_public_key(&bytes[..32], &bytes[32..]),
        _ => return Err(KeyFault::Malformed("whsk_ needs 32 or 64 bytes in base64")),
    };
    pair.map_err(|_| KeyFault::Malformed("the two halves of this whsk_ do not belong together"))
}

fn decode(text: &str) -> Result<Vec<u8>, KeyFault> {
    if text.is_empty() {
        return Err(KeyFault::Empty);
    }
    BASE64.decode(text).map_err(|_| KeyFault::Malformed("expected base64, after whsec_ or whpk_ if there is one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret { key_id: None, text: text.to_owned() }
    }

    #[test]
    fn no_secret_is_a_fault() {
        for text in ["", " ", "whsec_", "whpk_"] {
            assert!(matches!(verifying(&secret(text)), Err(KeyFault::Empty)), "{text}");
        }
        for text in ["whsec_?", "whpk_AAAA", "whsk_AAAA", "secret-key!"] {
            assert!(matches!(verifying(&secret(text)), Err(KeyFault::Malformed(_))), "{text}");
        }
    }

    #[test]
    fn each_key_signs_what_it_can() {
        let short = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        assert!(matches!(signing(&secret(&format!("whsec_{short}"))), Ok(SigningKey::Hmac(_))));
        assert!(matches!(signing(&secret(&format!("whsk_{short}"))), Ok(SigningKey::Ed25519(_))));
        assert!(matches!(signing(&secret(&format!("whpk_{short}"))), Err(KeyFault::Malformed(_))));
        assert!(matches!(signing(&secret("whsk_AAAA")), Err(KeyFault::Malformed(_))));
        let torn = format!("whsk_{}", crate::mac::to_base64(&[7; 64]));
        assert!(matches!(signing(&secret(&torn)), Err(KeyFault::Malformed(_))));
    }
}
