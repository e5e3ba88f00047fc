use jiff::civil::date;
use rollbook_domain::{
    Account, Adjustment, AdjustmentKind, Currency, Detail, DocumentRef, Email, EndReason, Ending, EventKey, Money,
    PaymentRef, Person, PersonId, Stamp, Waiver,
};

use super::*;

fn instant(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn club() -> Account {
    "club".into()
}

fn ada() -> Person {
    let email = Email::parse("ada@example.org").unwrap();
    let said = |value: &str| Detail {
        value: value.to_owned(),
        stamp: Stamp { at: instant(1), key: EventKey::captured("t-1") },
    };
    let mut person = Person::new(PersonId::of_first_address(&email), email);
    person.emails.push(Email::parse("countess@example.org").unwrap());
    person.name = Some(said("Ada"));
    person.address = Some(said(" Ada@Example.org "));
    person
}

fn payment(transaction: &str, second: i64) -> Payment {
    Payment {
        reference: PaymentRef { account: club(), transaction: transaction.to_owned() },
        event_key: EventKey::captured(transaction),
        person: ada().id,
        paid_at: instant(second),
        paid_on: date(2025, 1, 1),
        amount: Money { minor: 1500, currency: Currency::parse("USD").unwrap() },
        category: "MU".to_owned(),
        renewal_window_days: 40,
    }
}

fn term(transaction: &str, starts: Date, ended: Option<Ending>) -> Term {
    let expires = starts.saturating_add(jiff::Span::new().years(1));
    Term { payment: payment(transaction, 0).reference, person: ada().id, starts, expires, ended }
}

fn refund(transaction: &str, kind: AdjustmentKind) -> Adjustment {
    let key = EventKey::other(&"refund".into());
    Adjustment {
        payment: payment(transaction, 0).reference,
        event_key: key,
        kind,
        at: instant(9),
        on: date(2025, 2, 1),
    }
}

fn document(name: &str, second: i64, voided: bool) -> Document {
    let (signed_at, expires) = (instant(second), date(2026, 1, 1));
    Document {
        reference: DocumentRef { account: club(), document: name.to_owned() },
        waiver: Some(Waiver { person: ada().id, signed_at, expires, category: None }),
        voided_at: voided.then(|| instant(99)),
    }
}

fn records() -> PersonRecords {
    let cumulative = |cumulative_minor| AdjustmentKind::Refunded { cumulative_minor };
    PersonRecords {
        person: ada(),
        payments: vec![payment("t-2", 20), payment("t-1", 10)],
        adjustments: vec![
            refund("t-2", cumulative(1_500)),
            refund("t-2", cumulative(500)),
            refund("t-2", AdjustmentKind::DisputeOpened),
        ],
        terms: vec![
            term("t-1", date(2025, 1, 1), None),
            term("t-2", date(2025, 1, 1), Some(Ending { on: date(2025, 2, 1), reason: EndReason::Refunded })),
        ],
        documents: vec![document("d-2", 2, true), document("d-1", 1, false)],
    }
}

/// Scripts rely on this shape to the letter.
#[test]
fn a_member_is_shown_in_the_promised_shape() {
    let view = MemberView::of(&records(), date(2025, 6, 1));
    let expected = format!(
        "MemberView {{ person: PersonView {{ id: {:?}, name: Some(\"Ada\"), \
         emails: [\"Ada@Example.org\", \"countess@example.org\"] }}",
        ada().id.to_string()
    );
    assert!(format!("{view:?}").starts_with(&expected), "{view:?}");
    let [first, second] = &view.memberships[..] else { panic!("{view:?}") };
    assert_eq!((first.payment.as_str(), first.amount.as_str(), first.currency.as_str()), ("t-1", "15.00", "USD"));
    assert_eq!((first.refunded.as_str(), first.status, first.ended_on), ("0.00", Status::Active, None));
    assert_eq!((second.refunded.as_str(), second.status), ("15.00", Status::Ended), "the greatest refund is the sum");
    assert_eq!((second.ended_on, second.end_reason.as_deref()), (Some(date(2025, 2, 1)), Some("refunded")));
    let waivers: Vec<_> = view.waivers.iter().map(|waiver| (waiver.document.as_str(), waiver.status)).collect();
    assert_eq!(waivers, [("d-1", Status::Active), ("d-2", Status::Ended)]);
}

#[test]
fn the_last_day_is_a_valid_one() {
    for (today, expected) in
        [(date(2024, 12, 1), Status::Active), (date(2026, 1, 1), Status::Active), (date(2026, 1, 2), Status::Expired)]
    {
        let view = MemberView::of(&records(), today);
        assert_eq!((view.memberships[0].status, view.waivers[0].status), (expected, expected), "{today}");
        assert_eq!((view.memberships[1].status, view.waivers[1].status), (Status::Ended, Status::Ended), "{today}");
    }
}

#[test]
fn without_an_address_as_written_the_normal_one_is_shown() {
    let mut records = records();
    records.person.address = None;
    records.documents[0].waiver = None;
    let view = MemberView::of(&records, date(2025, 6, 1));
    assert_eq!(view.person.emails, ["ada@example.org", "countess@example.org"]);
    assert_eq!(view.waivers.len(), 1, "a void alone is no waiver");
}
