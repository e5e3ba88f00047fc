use super::*;
use crate::audit::tests::answered;
use crate::audit::tests::ideal::ideal;

#[test]
fn the_table_adds_up() {
    let record = answered();
    let recorded = ideal(&record, false);
    let summary = Summary::of(&record, &recorded);
    let total = &summary.total;
    assert_eq!(total.sent, record.sent.len() as u64);
    assert_eq!(total.sent, total.acked + total.refused + total.unanswered);
    let of = |kind| summary.kinds.iter().find(|line| line.kind == Some(kind)).unwrap();
    assert_eq!(of(Kind::Forged).refused, of(Kind::Forged).sent);
    assert_eq!(of(Kind::Forged).applied + of(Kind::Forged).dead_letters, 0);
    assert_eq!(of(Kind::Rental).ignored, of(Kind::Rental).facts);
    assert_eq!(of(Kind::WrongAmount).dead_letters, of(Kind::WrongAmount).facts);
    assert_eq!(of(Kind::Refund).applied, of(Kind::Refund).facts);
    assert_eq!(
        of(Kind::SecondPost).duplicates,
        record.sent.iter().filter(|sent| sent.kind == Kind::SecondPost && sent.again).count() as u64
    );
    let settled = total.applied + total.ignored + total.rejected + total.dead_letters;
    assert_eq!(settled + of(Kind::Forged).facts + of(Kind::Stale).facts, total.facts);
    let payments = [Kind::Payment, Kind::Renewal, Kind::SecondPost, Kind::Contradiction];
    assert_eq!(payments.iter().map(|kind| of(*kind).applied).sum::<u64>(), summary.payments);
    assert!(summary.dead_letters.iter().any(|group| group.reason == "unknown_category" && group.count > 0));
}

#[test]
fn it_is_plain_data() {
    let summary = Summary::of(&Record::empty(), &Recorded::default());
    let json = serde_json::to_value(&summary).unwrap();
    assert_eq!(json["total"]["sent"], 0);
    assert_eq!(json["ack"]["p99_ms"], 0.0);
    assert!((summary.acked_per_s, summary.retries) == (0.0, 0));
}

#[test]
fn latencies_are_milliseconds() {
    let mut histogram = crate::record::latencies();
    for micros in 1..=1000 {
        histogram.record(micros * 100).unwrap();
    }
    let latencies = Latencies::of(&histogram);
    assert_eq!(latencies.count, 1000);
    assert!((49.0..51.0).contains(&latencies.p50_ms), "{latencies:?}");
    assert!((98.0..100.0).contains(&latencies.p99_ms), "{latencies:?}");
    assert!((99.0..101.0).contains(&latencies.max_ms), "{latencies:?}");
}
