//! HMAC-SHA256, as every scheme here uses it: compared in constant time, one pass over the content
//! for each key.
//!
//! The content is hashed once a key and the candidates are held against a copy of that state. To
//! start anew for each candidate would let one request with many signatures cost their number
//! times its size.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::provider::{Key, KeyMaterial};
use crate::{KeyFault, Keys, Secret, SignatureFault};

/// A decoded signature.
pub(crate) type Tag = [u8; 32];

/// Keys of schemes that use the secret as text, never decoded. White space alone is no secret.
pub(crate) fn text_keys(secrets: &[Secret]) -> Result<Keys, KeyFault> {
    let keys = secrets.iter().map(|secret| {
        let material = KeyMaterial::Hmac(text_key(secret)?.to_vec());
        Ok(Key { id: secret.key_id.clone(), material })
    });
    some(keys.collect::<Result<_, _>>()?)
}

/// The bytes of a secret that is used as text.
pub(crate) fn text_key(secret: &Secret) -> Result<&[u8], KeyFault> {
    if secret.text.trim().is_empty() { Err(KeyFault::Empty) } else { Ok(secret.text.as_bytes()) }
}

/// A source without a key would verify nothing, so it is refused when it is configured.
pub(crate) fn some(keys: Vec<Key>) -> Result<Keys, KeyFault> {
    if keys.is_empty() { Err(KeyFault::None) } else { Ok(Keys(keys)) }
}

/// Whether one of `keys` made one of `tags` over the parts, joined without a separator.
pub(crate) fn any_match<'k>(keys: impl IntoIterator<Item = &'k Key>, content: &[&[u8]], tags: &[Tag]) -> bool {
    let hmac_keys = keys.into_iter().filter_map(|key| match &key.material {
        KeyMaterial::Hmac(bytes) => Some(bytes),
        KeyMaterial::Ed25519(_) => None,
    });
    for key in hmac_keys {
        let Some(state) = absorb(key, content) else { continue };
        if tags.iter().any(|tag| state.clone().verify_slice(tag).is_ok()) {
            return true;
        }
    }
    false
}

/// The verdict over the signatures that a request carries. `carried` counts all of them, `tags`
/// holds those that could be read.
pub(crate) fn verdict(carried: usize, readable: usize, matched: bool) -> Result<(), SignatureFault> {
    match (carried, readable, matched) {
        (_, _, true) => Ok(()),
        (0, _, _) => Err(SignatureFault::Missing),
        (_, 0, _) => Err(SignatureFault::Malformed),
        _ => Err(SignatureFault::Mismatch),
    }
}

/// Signs the parts, joined without a separator.
pub(crate) fn sign(key: &[u8], content: &[&[u8]]) -> Tag {
    absorb(key, content).map_or([0; 32], |state| state.finalize().into_bytes().into())
}

fn absorb(key: &[u8], content: &[&[u8]]) -> Option<Hmac<Sha256>> {
    let mut state = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in content {
        state.update(part);
    }
    Some(state)
}

/// A tag in lower-case hex or capitals.
pub(crate) fn from_hex(text: &str) -> Option<Tag> {
    let mut tag = [0; 32];
    hex::decode_to_slice(text, &mut tag).ok()?;
    Some(tag)
}

/// A tag in padded standard base64.
pub(crate) fn from_base64(text: &str) -> Option<Tag> {
    decode_base64(text)?.try_into().ok()
}

pub(crate) fn to_base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Padded standard base64; anything else is `None`.
pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}
