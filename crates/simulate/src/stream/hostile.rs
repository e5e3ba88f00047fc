//! Stories of forgers, of clocks gone wrong, and of bodies that nobody can read.

use bytes::Bytes;
use rollbook_domain::{EventKey, FactKind, reasons};

use super::teller::{CYBERSOURCE, Draft, STANDARD, STRIPE, Teller, facts_for_all, genuine};
use super::{documents, payments};
use crate::bodies::standard;
use crate::bodies::stripe;
use crate::{Callback, Expect, Key, Kind, Signing, Verdict};

/// What every built-in provider answers to what it does not believe.
const UNAUTHORISED: u16 = 401;

/// A callback that would count if it were believed.
fn believable(teller: &mut Teller<'_>) -> Option<Draft> {
    if teller.chance(40) {
        documents::one(teller).or_else(|| payments::one(teller))
    } else {
        payments::one(teller).or_else(|| documents::one(teller))
    }
}

fn refused(mut draft: Draft, kind: Kind, signing: Signing) -> Draft {
    let facts = draft.callback.expect.facts().to_vec();
    draft.callback =
        Callback { kind, signing, expect: Expect::Refused { status: UNAUTHORISED, facts }, ..draft.callback };
    draft
}

pub fn forged(teller: &mut Teller<'_>) -> Vec<Draft> {
    let Some(draft) = believable(teller) else { return Vec::new() };
    let signing = match teller.rng.u8(..5) {
        0 => Signing::Unsigned,
        1 | 2 => Signing::Altered,
        _ => Signing::WrongKey,
    };
    vec![refused(draft, Kind::Forged, signing)]
}

/// Rightly signed, but ten minutes to a day ago, or in the future.
pub fn stale(teller: &mut Teller<'_>) -> Vec<Draft> {
    let timed = |name: &str| name == STRIPE || name == STANDARD;
    let Some(source) = teller.any_source(|source| timed(source.provider.name())) else { return Vec::new() };
    let Some(sale) = teller.sale_through(source) else { return Vec::new() };
    let age_s = if teller.chance(25) { -teller.rng.i64(600..86_400) } else { teller.rng.i64(600..86_400) };
    let callback = teller.captured(&sale, Kind::Stale, vec![sale.applied()]);
    vec![refused(Draft::at(sale.at, callback), Kind::Stale, Signing::Stale { age_s })]
}

/// Rightly signed, and no message of its provider: cut off, or a time that is none.
pub fn unparseable(teller: &mut Teller<'_>) -> Vec<Draft> {
    let Some(mut draft) = believable(teller) else { return Vec::new() };
    let callback = &mut draft.callback;
    let name = callback.source.provider.name();
    callback.body = if name == CYBERSOURCE { timeless(&callback.body) } else { cut(&callback.body) };
    let key = match name {
        CYBERSOURCE => named_by_transaction(callback),
        STANDARD => Key::Named(EventKey::other(&callback.id.as_str().into())),
        _ => Key::Unnamed(teller.serial()),
    };
    callback.kind = Kind::Unparseable;
    let verdict = Verdict::DeadLetter(reasons::UNPARSEABLE);
    callback.expect = Expect::Accepted(facts_for_all(&callback.source, &key, &verdict));
    vec![draft]
}

/// The service names such a form by its transaction.
fn named_by_transaction(callback: &Callback) -> Key {
    let mut pairs = form_urlencoded::parse(&callback.body);
    let transaction = pairs.find(|(name, _)| name == "transaction_id").map(|(_, value)| value.into_owned());
    Key::Named(EventKey::other(&transaction.unwrap_or_default().into()))
}

/// The same form, signed at no time that can be read.
fn timeless(body: &[u8]) -> Bytes {
    let mut form = form_urlencoded::Serializer::new(String::with_capacity(body.len()));
    for (name, value) in form_urlencoded::parse(body) {
        let value = if name == "signed_date_time" { "yesterday".into() } else { value };
        form.append_pair(&name, &value);
    }
    Bytes::from(form.finish())
}

fn cut(body: &[u8]) -> Bytes {
    Bytes::copy_from_slice(&body[..body.len() * 2 / 3])
}

/// Readable, and of a type that nobody subscribed to.
pub fn unwanted_type(teller: &mut Teller<'_>) -> Vec<Draft> {
    let both = |name: &str| name == STRIPE || name == STANDARD;
    let fits =
        |source: &crate::Source| both(source.provider.name()) && source.provider.yields().contains(&FactKind::Other);
    let Some(source) = teller.any_source(fits) else { return Vec::new() };
    let (person, at) = (teller.person(), teller.moment());
    let id = teller.request_id(&source);
    let body = if source.provider.name() == STRIPE {
        stripe::customer_created(&stripe::Event { id: &id, created: at }, &person)
    } else {
        standard::newsletter(&person, at)
    };
    let key = Key::Named(EventKey::other(&id.as_str().into()));
    let facts = facts_for_all(&source, &key, &Verdict::Ignored(reasons::UNWANTED_TYPE));
    vec![Draft::at(at, genuine(Kind::UnwantedType, &source, id, body, facts))]
}
