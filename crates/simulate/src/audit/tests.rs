//! The audit of an ideal service finds nothing; each planted fault is found by the check for it.

pub mod ideal;

use jiff::Timestamp;
use rollbook_domain::{Account, Adjustment, AdjustmentKind, Email, EventKey, Payment, Person, PersonId, SourceName};
use rollbook_store::DeadLetterState;

use super::*;
use crate::fixtures::options;
use crate::record::Answer;
use crate::{Expect, Fate, Kind, Sent, Stream, StreamOptions};
use ideal::{FakeDatabase, ideal};

fn stream_options() -> StreamOptions {
    options(21, 1500)
}

/// Everything was sent and answered as it is due.
pub fn answered() -> Record {
    let mut record = Record::empty();
    for callback in Stream::new(&stream_options()).into_callbacks() {
        let fate = match &callback.expect {
            Expect::Accepted(_) => Fate::Acked(200),
            Expect::Refused { status, .. } => Fate::Refused(*status),
        };
        record.sent.push(Sent::new(callback, Answer { fate, tries: 1, silent: 0, put_off: 0 }));
    }
    record
}

fn audit_options() -> AuditOptions {
    AuditOptions::new(TimeZone::get("America/New_York").unwrap())
}

fn broken(record: &Record, recorded: &Recorded) -> Vec<String> {
    let audit = check(record, recorded, &audit_options());
    assert_eq!(audit.ok(), audit.explanations.is_empty());
    audit.checks.into_iter().filter(|check| check.broken > 0).map(|check| check.name).collect()
}

/// An outcome with no dead letter beside it.
fn index_of(recorded: &Recorded, outcome: &str, part: &str) -> usize {
    let alone = |key: &str| recorded.letters.iter().all(|letter| letter.event_key != key);
    let found = |row: &rollbook_store::EventRow| {
        row.outcome == outcome && row.event_key.ends_with(part) && alone(&row.event_key)
    };
    recorded.events.iter().position(found).unwrap()
}

#[tokio::test]
async fn an_ideal_service_passes() {
    let record = answered();
    let recorded = ideal(&record, false);
    assert!(recorded.payments.len() > 200 && recorded.documents.len() > 50);
    let audit = audit(&record, &FakeDatabase(recorded), &audit_options()).await.unwrap();
    assert!(audit.ok(), "{:?}", audit.explanations);
    for check in &audit.checks {
        assert!(check.checked > 0, "{} looked at nothing", check.name);
    }
}

#[test]
fn a_mended_price_list_is_expected_to_show() {
    let record = answered();
    let mended = AuditOptions { mended: true, ..audit_options() };
    assert!(check(&record, &ideal(&record, true), &mended).ok());
    assert!(!check(&record, &ideal(&record, false), &mended).ok());
    assert!(!check(&record, &ideal(&record, true), &audit_options()).ok());
}

#[test]
fn a_lost_event_is_found() {
    let record = answered();
    for (outcome, part) in [("applied", ":captured"), ("ignored", ":declined"), ("applied", ":completed")] {
        let mut recorded = ideal(&record, false);
        let lost = index_of(&recorded, outcome, part);
        recorded.events.remove(lost);
        let names = broken(&record, &recorded);
        assert_eq!(names[0], "everything acknowledged is recorded", "{part}");
    }
    for named in [true, false] {
        let mut recorded = ideal(&record, false);
        let kept = |letter: &rollbook_store::DeadLetter| {
            letter.event_key.starts_with("other:digest") != named && letter.reason != "conflicting_duplicate"
        };
        let lost = recorded.letters.iter().position(kept).unwrap();
        recorded.letters.remove(lost);
        assert_eq!(broken(&record, &recorded), ["everything acknowledged is recorded"]);
    }
}

#[test]
fn a_lost_effect_is_found() {
    let record = answered();
    let mut recorded = ideal(&record, false);
    let payment = recorded.payments.pop().unwrap();
    recorded.terms.retain(|term| term.payment != payment.reference);
    assert!(broken(&record, &recorded).contains(&"every applied payment stands once, as it was paid".to_owned()));

    let mut recorded = ideal(&record, false);
    recorded.documents.pop();
    assert_eq!(broken(&record, &recorded), ["every applied waiver stands once, as it was signed"]);
}

#[test]
fn a_doubled_payment_is_found() {
    let record = answered();
    let mut recorded = ideal(&record, false);
    recorded.payments.push(recorded.payments[0].clone());
    assert_eq!(broken(&record, &recorded), ["every applied payment stands once, as it was paid"]);

    let mut recorded = ideal(&record, false);
    let mut elsewhere = recorded.payments[0].clone();
    elsewhere.reference.account = Account::from("elsewhere");
    let mut term = recorded.terms[0].clone();
    term.payment = elsewhere.reference.clone();
    recorded.payments.push(elsewhere);
    recorded.terms.push(term);
    assert_eq!(broken(&record, &recorded), ["no payment stands that was not paid"]);
}

#[test]
fn a_second_term_or_outcome_is_found() {
    let record = answered();
    let mut recorded = ideal(&record, false);
    recorded.terms.push(recorded.terms[0].clone());
    assert_eq!(broken(&record, &recorded), ["every payment bought one term"]);

    let mut recorded = ideal(&record, false);
    let twice = index_of(&recorded, "applied", ":captured");
    recorded.events.push(recorded.events[twice].clone());
    assert_eq!(broken(&record, &recorded), ["everything recorded ended as its sender expects"]);
}

#[test]
fn other_contents_are_found() {
    let record = answered();
    let spoils: [fn(&mut Payment); 5] = [
        |payment| payment.amount.minor += 1,
        |payment| payment.category.push('X'),
        |payment| payment.paid_at = Timestamp::UNIX_EPOCH,
        |payment| payment.paid_on = payment.paid_on.tomorrow().unwrap(),
        |payment| payment.person = PersonId::of_first_address(&Email::parse("else@example.org").unwrap()),
    ];
    for spoil in spoils {
        let mut recorded = ideal(&record, false);
        spoil(&mut recorded.payments[3]);
        assert_eq!(broken(&record, &recorded), ["every applied payment stands once, as it was paid"]);
    }
    let mut recorded = ideal(&record, false);
    let live = recorded.documents.iter_mut().find(|document| document.voided_at.is_none()).unwrap();
    live.voided_at = Some(Timestamp::UNIX_EPOCH);
    assert_eq!(broken(&record, &recorded), ["every applied waiver stands once, as it was signed"]);
}

#[test]
fn a_wrong_refunded_total_is_found() {
    let record = answered();
    let is_refund = |adjustment: &Adjustment| matches!(adjustment.kind, AdjustmentKind::Refunded { .. });
    let mut recorded = ideal(&record, false);
    let at = recorded.adjustments.iter().position(is_refund).unwrap();
    recorded.adjustments[at].kind = AdjustmentKind::Refunded { cumulative_minor: 999_999 };
    assert_eq!(broken(&record, &recorded), ["every refunded total is the greatest that was sent"]);

    let mut recorded = ideal(&record, false);
    recorded.adjustments.retain(|adjustment| !is_refund(adjustment));
    assert_eq!(broken(&record, &recorded), ["every refunded total is the greatest that was sent"]);
}

#[test]
fn a_doubled_or_lost_dispute_is_found() {
    let record = answered();
    let is_dispute = |adjustment: &Adjustment| adjustment.kind == AdjustmentKind::DisputeLost;
    let mut recorded = ideal(&record, false);
    let at = recorded.adjustments.iter().position(is_dispute).unwrap();
    recorded.adjustments.push(recorded.adjustments[at].clone());
    assert_eq!(broken(&record, &recorded), ["every applied dispute stands once"]);
    recorded.adjustments.retain(|adjustment| !is_dispute(adjustment));
    assert_eq!(broken(&record, &recorded), ["every applied dispute stands once"]);
}

#[test]
fn a_recorded_forgery_is_found() {
    let record = answered();
    let mut recorded = ideal(&record, false);
    let forged = record.sent.iter().find(|sent| sent.kind == Kind::Forged).unwrap();
    let mut as_believed = forged.clone();
    as_believed.expect = Expect::Accepted(forged.expect.facts().to_vec());
    as_believed.answer.fate = Fate::Acked(200);
    let mut believed = Record::empty();
    believed.sent.push(as_believed);
    let planted = ideal(&believed, false);
    recorded.events.extend(planted.events);
    assert_eq!(broken(&record, &recorded), ["nothing refused is recorded"]);
    recorded.payments.extend(planted.payments);
    recorded.people.extend(planted.people);
    recorded.terms.extend(planted.terms);
    recorded.documents.extend(planted.documents);
    assert!(broken(&record, &recorded).contains(&"the people are those who paid or signed, each once".to_owned()));
}

#[test]
fn what_nobody_sent_is_found() {
    let record = answered();
    let mut recorded = ideal(&record, false);
    let mut row = recorded.events[0].clone();
    row.event_key = EventKey::captured("nobodys").to_string();
    recorded.events.push(row);
    assert_eq!(broken(&record, &recorded), ["nothing is recorded that was not sent"]);

    let mut recorded = ideal(&record, false);
    let mut letter = recorded.letters.iter().find(|row| row.event_key.starts_with("other:digest")).unwrap().clone();
    letter.event_key = "other:digest-of-another".to_owned();
    recorded.letters.push(letter);
    assert_eq!(broken(&record, &recorded), ["nothing is recorded that was not sent"]);
}

#[test]
fn an_extra_or_missing_person_is_found() {
    let record = answered();
    let email = Email::parse("nobody@example.org").unwrap();
    let mut recorded = ideal(&record, false);
    recorded.people.push(Person::new(PersonId::of_first_address(&email), email));
    assert_eq!(broken(&record, &recorded), ["the people are those who paid or signed, each once"]);

    let mut recorded = ideal(&record, false);
    recorded.people.push(recorded.people[0].clone());
    assert_eq!(broken(&record, &recorded), ["the people are those who paid or signed, each once"]);
    recorded.people.truncate(recorded.people.len() - 2);
    assert!(broken(&record, &recorded).contains(&"the people are those who paid or signed, each once".to_owned()));
}

#[test]
fn another_end_than_expected_is_found() {
    let record = answered();
    let mut recorded = ideal(&record, false);
    let rental = recorded.events.iter().position(|row| row.reason.as_deref() == Some("not_membership")).unwrap();
    recorded.events[rental].reason = Some("declined".to_owned());
    assert_eq!(broken(&record, &recorded), ["everything recorded ended as its sender expects"]);

    let mut recorded = ideal(&record, false);
    let settled = recorded.events[index_of(&recorded, "applied", ":captured")].clone();
    let mut letter = recorded.letters[0].clone();
    letter.event_key = settled.event_key;
    letter.source = settled.source;
    letter.processor = settled.processor;
    letter.reason = "wrong_amount".to_owned();
    recorded.letters.push(letter);
    assert_eq!(broken(&record, &recorded), ["everything recorded ended as its sender expects"]);
    recorded.letters.last_mut().unwrap().state = DeadLetterState::Resolved;
    assert!(broken(&record, &recorded).is_empty());
}

#[test]
fn a_silenced_contradiction_is_found() {
    let record = answered();
    let mut recorded = ideal(&record, false);
    recorded.letters.retain(|letter| letter.reason != "conflicting_duplicate");
    assert_eq!(broken(&record, &recorded), ["of two contradicting messages one stands and one is a dead letter"]);

    let mut recorded = ideal(&record, false);
    let letter = recorded.letters.iter().find(|letter| letter.reason == "conflicting_duplicate").unwrap().clone();
    recorded.events.retain(|row| row.event_key != letter.event_key || row.processor != letter.processor);
    assert!(broken(&record, &recorded).contains(&"everything recorded ended as its sender expects".to_owned()));
}

#[test]
fn wrong_answers_are_found() {
    for (kind, fate) in [(Kind::Forged, Fate::Acked(200)), (Kind::Decline, Fate::Refused(400))] {
        let mut record = answered();
        let recorded = ideal(&record, false);
        record.sent.iter_mut().find(|sent| sent.kind == kind).unwrap().answer.fate = fate;
        assert!(broken(&record, &recorded).contains(&"every answer is the one that was due".to_owned()));
    }
}

/// No answer came: the service may have it or not, and both are right.
#[test]
fn what_had_no_answer_may_stand_or_not() {
    let whole = answered();
    let mut record = whole.clone();
    for (number, sent) in record.sent.iter_mut().enumerate() {
        if number % 3 == 0 && matches!(sent.expect, Expect::Accepted(_)) {
            sent.answer = Answer { fate: Fate::Unanswered, tries: 4, silent: 4, put_off: 0 };
        }
    }
    let kept = check(&record, &ideal(&whole, false), &audit_options());
    assert!(kept.ok(), "{:?}", kept.explanations);
    let mut heard = record.clone();
    heard.sent.retain(|sent| sent.answer.fate != Fate::Unanswered);
    let lost = check(&record, &ideal(&heard, false), &audit_options());
    assert!(lost.ok(), "{:?}", lost.explanations);
}

/// The sender was stopped before it said what was paid; the service cannot know whose the refund is.
#[test]
fn a_refund_of_what_was_never_told_may_end_as_a_dead_letter() {
    let mut record = answered();
    for sent in record.sent.iter_mut().filter(|sent| sent.kind == Kind::Rental) {
        sent.answer = Answer::UNSENT;
    }
    let mut recorded = ideal(&record, false);
    let orphan = recorded.events.iter().position(|row| row.reason.as_deref() == Some("payment_not_ours")).unwrap();
    let row = recorded.events.remove(orphan);
    let mut letter = recorded.letters[0].clone();
    (letter.processor, letter.source, letter.event_key) = (row.processor, row.source, row.event_key);
    letter.reason = "payment_unknown".to_owned();
    recorded.letters.push(letter);
    assert!(broken(&record, &recorded).is_empty());
    recorded.letters.last_mut().unwrap().reason = "wrong_amount".to_owned();
    assert_eq!(broken(&record, &recorded), ["everything recorded ended as its sender expects"]);
    recorded.letters.last_mut().unwrap().reason = "payment_unknown".to_owned();
    let told = answered();
    assert!(broken(&told, &recorded).contains(&"everything recorded ended as its sender expects".to_owned()));
}

#[test]
fn the_records_of_others_are_theirs() {
    let record = answered();
    let mut recorded = ideal(&record, false);
    let mut others = Record::empty();
    let stream = Stream::new(&StreamOptions { seed: 99, ..stream_options() });
    for callback in stream.into_callbacks().into_iter().filter(|callback| callback.kind != Kind::Unparseable) {
        let refused = matches!(callback.expect, Expect::Refused { .. });
        let fate = if refused { Fate::Refused(401) } else { Fate::Acked(200) };
        others.sent.push(Sent::new(callback, Answer { fate, tries: 1, silent: 0, put_off: 0 }));
    }
    recorded.merge(ideal(&others, false));
    assert!(!check(&record, &recorded, &audit_options()).ok());
    let tag = Stream::new(&stream_options()).tag().to_owned();
    let ours = check(&record, &recorded, &AuditOptions { scope: Scope::Run(tag), ..audit_options() });
    assert!(ours.ok(), "{:?}", ours.explanations);
}

#[test]
fn events_of_the_service_itself_are_not_ours() {
    let record = answered();
    let mut recorded = ideal(&record, false);
    let mut row = recorded.events[0].clone();
    row.source = SourceName::from("rollbook").to_string();
    row.event_key = "member:somebody:registered".to_owned();
    recorded.events.push(row);
    assert!(broken(&record, &recorded).is_empty());
}

/// Which facts earn, and how much, the rules of the service say.
#[test]
fn what_earns_points_is_not_the_senders_to_say() {
    let record = answered();
    let mut recorded = ideal(&record, false);
    let mut rows = recorded.events.clone();
    let mut letters = recorded.letters.clone();
    for row in &mut rows {
        "points".clone_into(&mut row.processor);
    }
    for letter in &mut letters {
        "points".clone_into(&mut letter.processor);
    }
    recorded.events.extend(rows);
    recorded.letters.extend(letters);
    assert!(broken(&record, &recorded).is_empty());
}
