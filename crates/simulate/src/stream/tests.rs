use std::collections::{BTreeMap, BTreeSet};

use rollbook_domain::{DisputePhase, Fact};

use super::*;
use crate::fixtures::{believed, now, options, source, translated};
use crate::{Effect, Expect, Key, Kind, Signing, Verdict};

const KINDS: [Kind; 28] = [
    Kind::Payment,
    Kind::Renewal,
    Kind::SecondPost,
    Kind::Decline,
    Kind::Review,
    Kind::Rental,
    Kind::WrongAmount,
    Kind::WrongCurrency,
    Kind::UnknownCategory,
    Kind::MissingPlan,
    Kind::Contradiction,
    Kind::MissingField,
    Kind::PartialRefund,
    Kind::Refund,
    Kind::RefundBeforePayment,
    Kind::RefundOfRental,
    Kind::RefundOfNothing,
    Kind::DisputeOpened,
    Kind::DisputeLost,
    Kind::DisputeWon,
    Kind::Waiver,
    Kind::OneSigner,
    Kind::Void,
    Kind::VoidedWaiver,
    Kind::UnwantedType,
    Kind::Unparseable,
    Kind::Forged,
    Kind::Stale,
];

fn print(stream: &Stream) -> Vec<String> {
    stream
        .callbacks()
        .iter()
        .map(|callback| format!("{callback:?} {} {:?} {:?}", callback.id, callback.body, callback.expect))
        .collect()
}

#[test]
fn the_same_seed_makes_the_same_stream() {
    let one = Stream::new(&options(7, 500));
    assert_eq!(print(&one), print(&Stream::new(&options(7, 500))));
    assert_ne!(one.tag(), Stream::new(&options(8, 500)).tag());
    let mut later = options(7, 500);
    later.start += jiff::SignedDuration::from_secs(1);
    assert_ne!(one.tag(), Stream::new(&later).tag());
}

#[test]
fn every_kind_occurs_and_the_count_is_exact() {
    for seed in 0..5 {
        let stream = Stream::new(&options(seed, 2000));
        assert_eq!(stream.callbacks().len(), 2000);
        let mut counts = BTreeMap::<Kind, usize>::new();
        for callback in stream.callbacks() {
            *counts.entry(callback.kind).or_default() += 1;
        }
        for kind in KINDS {
            assert!(counts.contains_key(&kind), "seed {seed} has no {kind:?}");
        }
        let again = stream.callbacks().iter().filter(|callback| callback.again).count();
        assert!((100..600).contains(&again), "{again} plain duplicates");
        assert!(counts[&Kind::Payment] > 200, "{counts:?}");
    }
    for events in [0, 1, 7, 100] {
        assert_eq!(Stream::new(&options(1, events)).callbacks().len(), events);
    }
}

#[test]
fn any_choice_of_sources_makes_a_stream() {
    for provider in ["cybersource-secure-acceptance", "docusign-connect", "stripe", "standard-webhooks"] {
        let mut options = options(3, 300);
        options.sources = vec![source("only", provider)];
        assert_eq!(Stream::new(&options).callbacks().len(), 300, "{provider}");
        options.mix = Mix::Plain;
        assert_eq!(Stream::new(&options).callbacks().len(), 300, "{provider}");
    }
    let mut none = options(3, 300);
    none.sources = Vec::new();
    assert!(Stream::new(&none).callbacks().is_empty());
}

/// The generator's own knowledge against the providers' verifiers and translators.
#[test]
fn the_providers_read_what_the_stream_means() {
    let stream = Stream::new(&options(11, 3000));
    for callback in stream.callbacks() {
        let signed = callback.sign(now()).unwrap();
        let refused = matches!(callback.expect, Expect::Refused { .. });
        assert_eq!(believed(&callback.source, &signed, now()), !refused, "{callback:?}");
        if refused {
            assert_ne!(callback.signing, Signing::Genuine);
            continue;
        }
        let wanted = &callback.expect.facts()[0];
        match translated(&callback.source, &signed) {
            Err(reason) => {
                assert_eq!(callback.kind, Kind::Unparseable, "{reason}");
                assert_eq!(wanted.any_of, vec![Verdict::DeadLetter(rollbook_domain::Reason::read(reason))]);
            }
            Ok(events) => {
                assert_eq!(events.len(), 1, "{callback:?}");
                assert_eq!(Key::Named(events[0].key.clone()), wanted.key, "{callback:?}");
                for verdict in &wanted.any_of {
                    agrees(verdict, &events[0]);
                }
            }
        }
    }
}

fn agrees(verdict: &Verdict, event: &rollbook_domain::Event) {
    let (Verdict::Applied(effect) | Verdict::DeadLetterUntilMended(_, effect)) = verdict else { return };
    match (effect, &event.fact) {
        (Effect::Payment(paid), Fact::PaymentCaptured(capture)) => {
            let email = rollbook_domain::Email::parse(capture.email.as_deref().unwrap());
            assert_eq!(email.as_ref(), Some(&paid.email));
            assert_eq!(capture.amount.money.unwrap().minor, paid.minor);
            assert_eq!(capture.category.as_deref(), Some(paid.category.as_str()));
            assert_eq!(capture.transaction, paid.transaction);
            assert_eq!(event.occurred_at, paid.paid_at);
        }
        (Effect::Refund { transaction, cumulative_minor }, Fact::PaymentRefunded(refund)) => {
            assert_eq!((&refund.transaction, refund.cumulative.minor), (transaction, *cumulative_minor));
        }
        (Effect::Dispute { transaction, phase, .. }, Fact::PaymentDisputed(dispute)) => {
            assert_eq!((&dispute.transaction, dispute.phase), (transaction, *phase));
            assert!(DisputePhase::Opened <= *phase);
        }
        (Effect::Waiver { document, email, signed_at }, Fact::DocumentCompleted(completion)) => {
            let signer = rollbook_domain::Email::parse(completion.email.as_deref().unwrap());
            assert_eq!((&completion.document, signer.as_ref()), (document, Some(email)));
            assert_eq!(event.occurred_at, *signed_at);
        }
        (Effect::Void { document }, Fact::DocumentVoided { document: told }) => assert_eq!(document, told),
        (effect, fact) => panic!("{effect:?} is told as {fact:?}"),
    }
}

fn first_place(stream: &Stream, wanted: impl Fn(&Effect) -> bool) -> Option<usize> {
    let states = |expect: &Expect| {
        expect.facts().iter().flat_map(|fact| &fact.any_of).any(|verdict| match verdict {
            Verdict::Applied(effect) => wanted(effect),
            _ => false,
        })
    };
    stream.callbacks().iter().position(|callback| states(&callback.expect))
}

#[test]
fn some_refunds_overtake_their_payments() {
    let stream = Stream::new(&options(5, 2000));
    let is_late = |transaction: &String| {
        let paid =
            first_place(&stream, |effect| matches!(effect, Effect::Payment(paid) if &paid.transaction == transaction));
        let refunded = first_place(
            &stream,
            |effect| matches!(effect, Effect::Refund { transaction: other, .. } if other == transaction),
        );
        refunded < paid
    };
    let early = stream.callbacks().iter().filter(|callback| callback.kind == Kind::RefundBeforePayment);
    let transactions: BTreeSet<_> = early.filter_map(transaction).collect();
    let overtaken = transactions.iter().filter(|transaction| is_late(transaction)).count();
    assert!(overtaken * 2 > transactions.len(), "{overtaken} of {}", transactions.len());
}

fn transaction(callback: &Callback) -> Option<String> {
    callback.expect.facts()[0].any_of.iter().find_map(|verdict| match verdict {
        Verdict::Applied(Effect::Refund { transaction, .. }) => Some(transaction.clone()),
        _ => None,
    })
}

#[test]
fn some_members_pay_and_sign_at_one_moment() {
    let stream = Stream::new(&options(5, 2000));
    let mut moments = BTreeMap::<(String, i64), (bool, bool)>::new();
    let verdicts = stream.callbacks().iter().flat_map(|callback| callback.expect.facts()).flat_map(|fact| &fact.any_of);
    for verdict in verdicts {
        match verdict {
            Verdict::Applied(Effect::Payment(paid)) => {
                moments.entry((paid.email.to_string(), paid.paid_at.as_second())).or_default().0 = true;
            }
            Verdict::Applied(Effect::Waiver { email, signed_at, .. }) => {
                moments.entry((email.to_string(), signed_at.as_second())).or_default().1 = true;
            }
            _ => {}
        }
    }
    assert!(moments.values().filter(|both| **both == (true, true)).count() > 20);
}

#[test]
fn the_tag_stands_in_every_name() {
    let stream = Stream::new(&options(9, 1000));
    for callback in stream.callbacks() {
        for fact in callback.expect.facts() {
            if let Key::Named(key) = &fact.key {
                assert!(key.as_str().contains(stream.tag()), "{key}");
            }
        }
    }
}

#[test]
fn its_facts_are_spread_over_the_span() {
    let options = options(6, 2000);
    let (start_s, day_length_s) = (options.start.as_second(), 86_400);
    let stream = Stream::new(&options);
    let verdicts = stream.callbacks().iter().flat_map(|callback| callback.expect.facts()).flat_map(|fact| &fact.any_of);
    let (mut months, mut fractions) = (BTreeSet::new(), 0);
    for verdict in verdicts {
        let at = match verdict {
            Verdict::Applied(Effect::Payment(paid)) => paid.paid_at,
            Verdict::Applied(Effect::Waiver { signed_at, .. }) => *signed_at,
            _ => continue,
        };
        let days = (at.as_second() - start_s).div_euclid(day_length_s);
        assert!((-10..=710).contains(&days), "{days} days after the start");
        months.insert(days / 30);
        fractions += usize::from(at.subsec_nanosecond() > 0);
    }
    assert!(months.len() >= 23, "{months:?}");
    assert!(fractions > 100, "{fractions} times with fractions of a second");
}
