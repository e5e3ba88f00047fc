use jiff::Timestamp;
use rollbook_domain::{EnvelopeId, EventDigest, EventKey, FactKind, Outcome, Stamp};

use super::*;

fn fact(key: &str) -> FactRef {
    FactRef { account: "club".into(), key: key.into() }
}

fn event(key: &str, changes: Vec<Change>) -> SettledEvent {
    SettledEvent {
        fact: fact(key),
        source: "s".into(),
        envelope: EnvelopeId::at(Timestamp::UNIX_EPOCH, [0; 10]),
        kind: FactKind::DocumentCompleted,
        occurred_at: Timestamp::UNIX_EPOCH,
        digest: EventDigest::read("1:a".to_owned()),
        outcome: Outcome::Applied,
        reason: None,
        changes,
        redecided: false,
    }
}

fn batch(settled: Vec<SettledEvent>) -> Batch {
    Batch {
        processor: "waiver".into(),
        rules: String::new(),
        processed_at: Timestamp::UNIX_EPOCH,
        envelopes: Vec::new(),
        settled,
        duplicates: Vec::new(),
        settled_envelopes: Vec::new(),
        outgoing: Vec::new(),
        commands: Vec::new(),
    }
}

fn voided(second: i64) -> Document {
    let reference = DocumentRef { account: "club".into(), document: "d".to_owned() };
    Document { reference, waiver: None, voided_at: Timestamp::from_second(second).ok() }
}

fn named(value: &str, second: i64, key: &str) -> Change {
    let email = Email::parse("ada@example.org").unwrap();
    let stamp = Stamp { at: Timestamp::from_second(second).unwrap(), key: EventKey::new(key) };
    let detail = Detail { value: value.to_owned(), stamp };
    Change::SetDetail { person: PersonId::of_first_address(&email), field: DetailField::Name, detail }
}

#[test]
fn a_document_is_written_once_and_journalled_once_a_fact() {
    let changes = |second| vec![Change::SetDocument(voided(second))];
    let twice = [changes(2), changes(3)].concat();
    let batch = batch(vec![event("one", changes(1)), event("two", twice)]);
    let rows = Rows::of(&batch);
    assert_eq!(rows.documents.into_values().collect::<Vec<_>>(), [&voided(3)]);
    let lines: Vec<_> = rows.document_lines.iter().map(|line| (line.by, line.document)).collect();
    assert_eq!(lines, [(&fact("one"), &voided(1)), (&fact("two"), &voided(3))]);
}

#[test]
fn of_several_details_the_greatest_stamp_stands_in_any_order() {
    let words = [("old", 1, "z"), ("key", 2, "b"), ("lesser", 2, "a"), ("keys", 2, "b")];
    for turn in 0..words.len() {
        let mut words = words;
        words.rotate_left(turn);
        let changes = words.map(|(value, second, key)| named(value, second, key)).to_vec();
        let batch = batch(vec![event("one", changes)]);
        let rows = Rows::of(&batch);
        assert_eq!(rows.details.into_values().map(|detail| detail.value.as_str()).collect::<Vec<_>>(), ["keys"]);
    }
}
