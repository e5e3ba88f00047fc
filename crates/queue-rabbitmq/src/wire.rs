//! Deliveries as AMQP messages: the raw body as the payload, all else in headers of our own.
//!
//! Nothing here fails on what it reads. A message that is not ours, or is damaged, becomes an envelope
//! of an unknown source, which the worker turns into a dead letter: an odd byte must neither be lost
//! nor block what stands behind it. Whatever the broker wrote into the headers (`x-death` and kin)
//! ends here: each version reads it differently when it comes back.

use bytes::Bytes;
use jiff::Timestamp;
use lapin::BasicProperties;
use lapin::message::Delivery as Received;
use lapin::types::{AMQPValue, FieldTable, LongString};
use rollbook_domain::{Envelope, EnvelopeId};
use rollbook_queue::{Delivery, DeliveryTag, Failure};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

const META: &str = "rollbook-meta";
const META_BYTES: &str = "rollbook-meta-bytes";
const ATTEMPTS: &str = "rollbook-attempts";
const REDELIVERIES: &str = "rollbook-redeliveries";
const REDECIDE: &str = "rollbook-redecide";
const BROKERS_COUNT: &str = "x-delivery-count";

/// All headers must fit into one frame, of which a broker may allow few kilobytes. What is longer
/// goes in front of the payload.
const LONGEST_HEADER: usize = 2_048;

const PERSISTENT: u8 = 2;

/// A delivery as it is on its way.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    pub(crate) envelope: Envelope,
    pub(crate) attempts: u32,
    /// Times it was handed out unsettled, of which the broker's own count may know only the last.
    pub(crate) redeliveries: u32,
    pub(crate) redecide: bool,
    pub(crate) failure: Option<Failure>,
    pub(crate) first_published: Timestamp,
}

/// One message to publish.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) key: String,
    pub(crate) properties: BasicProperties,
    pub(crate) body: Bytes,
}

#[derive(Serialize)]
struct MetaOut<'a> {
    envelope: &'a Envelope,
    failure: Option<&'a Failure>,
    first_published: Timestamp,
}

#[derive(Deserialize)]
struct MetaIn {
    envelope: Envelope,
    failure: Option<Failure>,
    first_published: Timestamp,
}

impl Parcel {
    pub(crate) fn new(envelope: Envelope, redecide: bool, now: Timestamp) -> Self {
        Self { envelope, attempts: 0, redeliveries: 0, redecide, failure: None, first_published: now }
    }

    pub(crate) fn delivery(&self, tag: DeliveryTag) -> Delivery {
        Delivery {
            tag,
            envelope: self.envelope.clone(),
            attempts: self.attempts,
            redeliveries: self.redeliveries,
            redecide: self.redecide,
            failure: self.failure.clone(),
        }
    }

    /// The message for the queue behind `key`.
    pub(crate) fn outgoing(&self, key: String) -> Outgoing {
        let Self { envelope, failure, first_published, .. } = self;
        let meta = MetaOut { envelope, failure: failure.as_ref(), first_published: *first_published };
        // Names, numbers and text only: JSON can hold all of it.
        let meta = serde_json::to_vec(&meta).unwrap_or_default();
        let mut headers = FieldTable::default();
        headers.insert(ATTEMPTS.into(), AMQPValue::LongLongInt(self.attempts.into()));
        headers.insert(REDELIVERIES.into(), AMQPValue::LongLongInt(self.redeliveries.into()));
        headers.insert(REDECIDE.into(), AMQPValue::Boolean(self.redecide));
        let body = attach(meta, &envelope.body, &mut headers);
        Outgoing { key, properties: properties(&envelope.id.to_string(), headers), body }
    }
}

fn attach(meta: Vec<u8>, body: &Bytes, headers: &mut FieldTable) -> Bytes {
    if meta.len() <= LONGEST_HEADER {
        headers.insert(META.into(), AMQPValue::LongString(LongString::from(meta)));
        return body.clone();
    }
    let length = i64::try_from(meta.len()).unwrap_or(i64::MAX);
    headers.insert(META_BYTES.into(), AMQPValue::LongLongInt(length));
    [meta.as_slice(), body].concat().into()
}

fn properties(id: &str, headers: FieldTable) -> BasicProperties {
    BasicProperties::default().with_delivery_mode(PERSISTENT).with_message_id(id.into()).with_headers(headers)
}

/// Reads a message; `now` dates one that tells no date.
pub(crate) fn read(received: Received, now: Timestamp) -> Parcel {
    let counted = brokers_count(&received);
    let Received { properties, data, redelivered, .. } = received;
    let body = Bytes::from(data);
    let headers = properties.headers().clone().unwrap_or_default();
    let meta = meta(&headers, &body);
    let (envelope, failure, first_published) = match meta {
        Some((meta, body)) => (Envelope { body, ..meta.envelope }, meta.failure, meta.first_published),
        None => (odd(&properties, body, now), None, now),
    };
    let lately = if redelivered { counted.max(1) } else { 0 };
    Parcel {
        envelope,
        attempts: number(&headers, ATTEMPTS).unwrap_or(0),
        redeliveries: number(&headers, REDELIVERIES).unwrap_or(0).saturating_add(lately),
        redecide: headers.inner().get(REDECIDE).and_then(AMQPValue::as_bool).unwrap_or(false),
        failure,
        first_published,
    }
}

/// How often the broker says it handed this out before.
pub(crate) fn brokers_count(received: &Received) -> u32 {
    received.properties.headers().as_ref().and_then(|headers| number(headers, BROKERS_COUNT)).unwrap_or(0)
}

/// The same message once more, without what the broker wrote into it.
pub(crate) fn forward(received: Received) -> Outgoing {
    let Received { properties, data, routing_key, .. } = received;
    let mut headers = FieldTable::default();
    for (name, value) in properties.headers().iter().flat_map(FieldTable::inner) {
        if !name.as_str().starts_with("x-") {
            headers.insert(name.clone(), value.clone());
        }
    }
    let properties = properties.with_delivery_mode(PERSISTENT).with_headers(headers);
    Outgoing { key: routing_key.to_string(), properties, body: data.into() }
}

fn meta(headers: &FieldTable, body: &Bytes) -> Option<(MetaIn, Bytes)> {
    if let Some(AMQPValue::LongString(meta)) = headers.inner().get(META) {
        return Some((serde_json::from_slice(meta.as_bytes()).ok()?, body.clone()));
    }
    let length = usize::try_from(number(headers, META_BYTES)?).ok()?;
    let meta = serde_json::from_slice(body.get(..length)?).ok()?;
    Some((meta, body.slice(length..)))
}

/// Any integer: a broker or a tool may have changed the type on the way.
fn number(headers: &FieldTable, name: &str) -> Option<u32> {
    let number = match *headers.inner().get(name)? {
        AMQPValue::ShortShortInt(number) => i64::from(number),
        AMQPValue::ShortShortUInt(number) => i64::from(number),
        AMQPValue::ShortInt(number) => i64::from(number),
        AMQPValue::ShortUInt(number) => i64::from(number),
        AMQPValue::LongInt(number) => i64::from(number),
        AMQPValue::LongUInt(number) => i64::from(number),
        AMQPValue::LongLongInt(number) => number,
        _ => return None,
    };
    u32::try_from(number).ok()
}

/// An envelope for what is not ours. The same message gives the same ids.
fn odd(properties: &BasicProperties, body: Bytes, received_at: Timestamp) -> Envelope {
    let digest = Sha256::digest(&body);
    let told = properties.message_id().as_ref().and_then(|id| Uuid::try_parse(id.as_str()).ok());
    let derived = || uuid::Builder::from_sha1_bytes(std::array::from_fn(|byte| digest[byte])).into_uuid();
    let id = EnvelopeId(told.unwrap_or_else(derived));
    Envelope {
        delivery_key: id.to_string().into(),
        id,
        source: "unknown".into(),
        received_at,
        headers: Vec::new(),
        trace: None,
        body,
    }
}

#[cfg(test)]
mod tests {
    use rollbook_domain::{EventKey, Reason};

    use super::*;

    fn parcel(header_bytes: usize) -> Parcel {
        let now = Timestamp::constant(1_793_491_200, 123_456_789);
        let envelope = Envelope {
            id: EnvelopeId::at(now, [7; 10]),
            source: "stripe".into(),
            delivery_key: "evt_1".into(),
            received_at: now,
            headers: vec![("x-long".to_owned(), "ü".repeat(header_bytes / 2))],
            trace: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
            body: Bytes::from((0..=255).collect::<Vec<u8>>()),
        };
        let failure = Failure {
            processor: "membership".into(),
            account: "club".into(),
            event_key: EventKey::captured("t"),
            reason: Reason::read("wrong_amount".to_owned()),
            detail: "14.99 is not 15.00".to_owned(),
            amount: Some("14.99".to_owned()),
            currency: Some("USD".to_owned()),
            attempts: 3,
            failed_at: now,
        };
        Parcel { attempts: 3, redeliveries: 2, failure: Some(failure), ..Parcel::new(envelope, true, now) }
    }

    fn received(outgoing: Outgoing, brokers_count: Option<i64>) -> Received {
        let mut received =
            Received::mock(1, "x".into(), outgoing.key.into(), brokers_count.is_some(), outgoing.body.to_vec());
        let mut headers = outgoing.properties.headers().clone().unwrap();
        if let Some(count) = brokers_count {
            headers.insert(BROKERS_COUNT.into(), AMQPValue::LongLongInt(count));
            headers.insert("x-death".into(), AMQPValue::LongLongInt(1));
        }
        received.properties = outgoing.properties.with_headers(headers);
        received
    }

    #[test]
    fn everything_travels_whatever_its_length() {
        for header_bytes in [0, 1_000, 3_000, 300_000] {
            let sent = parcel(header_bytes);
            let outgoing = sent.outgoing("membership".to_owned());
            let headers: usize = outgoing.properties.headers().iter().flat_map(FieldTable::inner).count();
            assert_eq!(headers, 4);
            let read = read(received(outgoing, Some(4)), Timestamp::UNIX_EPOCH);
            assert!(read.envelope == sent.envelope);
            assert_eq!((read.attempts, read.redeliveries, read.redecide), (3, 2 + 4, true));
            assert_eq!((read.failure, read.first_published), (sent.failure, sent.first_published));
        }
    }

    #[test]
    fn what_is_not_ours_is_read_too_and_the_same_each_time() {
        let odd = |body: &[u8], headers: FieldTable| {
            let mut received = Received::mock(1, "x".into(), "waiver".into(), false, body.to_vec());
            received.properties = BasicProperties::default().with_headers(headers);
            read(received, Timestamp::UNIX_EPOCH).envelope
        };
        let mut damaged = FieldTable::default();
        damaged.insert(META.into(), AMQPValue::LongString("{\"envelope\":".into()));
        let mut too_long = FieldTable::default();
        too_long.insert(META_BYTES.into(), AMQPValue::LongLongInt(99));
        for headers in [FieldTable::default(), damaged, too_long] {
            let envelope = odd(b"\xff\x00", headers);
            assert_eq!((envelope.source.as_str(), &*envelope.body), ("unknown", &b"\xff\x00"[..]));
            assert_eq!(envelope.id, odd(b"\xff\x00", FieldTable::default()).id);
        }
        assert_ne!(odd(b"a", FieldTable::default()).id, odd(b"b", FieldTable::default()).id);
    }

    #[test]
    fn what_the_broker_wrote_is_not_published_again() {
        let outgoing = forward(received(parcel(0).outgoing("membership".to_owned()), Some(9)));
        let headers = outgoing.properties.headers().clone().unwrap();
        assert!(headers.inner().keys().all(|name| name.as_str().starts_with("rollbook-")), "{headers:?}");
        assert_eq!(outgoing.key, "membership");
        assert_eq!(outgoing.properties.delivery_mode(), &Some(PERSISTENT));
    }
}
