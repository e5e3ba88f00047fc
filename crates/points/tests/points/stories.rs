//! The rules, one story each.

use rollbook_domain::{Amount, DisputePhase, Email, Fact, FactKind, Processor as _, Rate, Reads};
use rollbook_points::{Every, Most, Rule, Rules, Trigger, reasons};

use crate::world::{
    ADA, Club, PER_DOLLAR, captured, disputed, dollars, event, instant, monthly, owner, paid, payments, person,
    refunded, registered, rule, rules, signed,
};

const NOON: &str = "2019-03-10T16:00:00Z";
const LATER: &str = "2019-03-20T16:00:00Z";

fn ada() -> rollbook_domain::Owner {
    owner(ADA)
}

#[test]
fn a_payment_earns_by_every_rule_that_matches_in_one_transaction() {
    let mut club = Club::of(vec![
        payments(|rule| rule.name = Some("z".to_owned())),
        payments(|rule| (rule.purpose, rule.rate) = (Some("membership".to_owned()), Rate::Award { points: 7 })),
        payments(|rule| rule.purpose = Some("rental".to_owned())),
    ]);
    assert_eq!(club.apply(&paid("1", NOON, 4050)), [(7, 7), (40, 40)]);
    assert_eq!(club.world.ledger.rows.transactions.len(), 1);
    assert_eq!(club.balance(ada()), (47, 0));
    assert_eq!(club.lots(ada()), [("2021-03-10T17:00:00Z".to_owned(), 47)]);
}

#[test]
fn registrations_and_completed_documents_earn() {
    let mut club = Club::of(vec![rule(Trigger::MemberRegistered), rule(Trigger::DocumentCompleted)]);
    assert_eq!(club.apply(&registered(ADA, NOON)), [(10, 10)]);
    assert_eq!(club.apply(&signed("d", NOON, Some(" ADA@example.org"))), [(10, 10)]);
    assert_eq!(club.balance(ada()), (20, 0));
}

/// Points are filed under the address: it may become a member's later.
#[test]
fn one_address_is_one_owner_however_it_is_written() {
    let mut club = Club::of(vec![rule(Trigger::PaymentCaptured)]);
    club.apply(&captured("1", NOON, |capture| capture.email = Some(" Ada@Example.ORG ".to_owned())));
    let email = Email::parse(ADA).unwrap();
    assert_eq!(person(ADA), rollbook_domain::PersonId::of_first_address(&email));
    assert_eq!(club.balance(ada()), (40, 0));
}

#[test]
fn what_earns_nothing_is_ignored_with_a_reason() {
    let mut club = Club::of(vec![payments(|rule| rule.purpose = Some("membership".to_owned()))]);
    let rental = captured("1", NOON, |capture| capture.purpose = Some("rental".to_owned()));
    assert_eq!(club.ignored(&rental), reasons::NO_RULE);
    assert_eq!(club.ignored(&registered(ADA, NOON)), reasons::NO_RULE);
    assert_eq!(club.ignored(&signed("d", NOON, None)), reasons::NO_RULE, "nobody asks who signed");
    let euros = captured("2", NOON, |capture| capture.amount = Amount::decimal(Some("40.00"), Some("EUR")));
    assert_eq!(club.ignored(&euros), reasons::OTHER_CURRENCY);
    assert_eq!(club.ignored(&refunded("1", LATER, 4000)), reasons::EARNED_NOTHING);
    assert_eq!(club.ignored(&disputed("2", LATER, DisputePhase::Lost)), reasons::EARNED_NOTHING);
    assert_eq!(club.balance(ada()), (0, 0));
}

type Way = fn(&mut rollbook_domain::Capture);

#[test]
fn a_payment_that_cannot_be_counted_is_a_dead_letter_that_says_why() {
    let mut club = Club::of(vec![rule(Trigger::PaymentCaptured), rule(Trigger::DocumentCompleted)]);
    let ways: [(Way, _); 8] = [
        (|capture| capture.email = None, reasons::MISSING_FIELD),
        (|capture| capture.email = Some("no address".to_owned()), reasons::BAD_EMAIL),
        (|capture| capture.transaction = " ".to_owned(), reasons::MISSING_FIELD),
        (|capture| capture.amount = Amount::decimal(None, Some("USD")), reasons::MISSING_FIELD),
        (|capture| capture.amount = Amount::decimal(Some("40"), None), reasons::MISSING_FIELD),
        (|capture| capture.amount = Amount::decimal(Some("forty"), Some("USD")), reasons::WRONG_AMOUNT),
        (|capture| capture.amount = Amount::exact(dollars(-1)), reasons::WRONG_AMOUNT),
        (|capture| capture.authorised = Some(Amount::decimal(Some("1.00"), Some("USD"))), reasons::WRONG_AMOUNT),
    ];
    for (index, (way, reason)) in ways.into_iter().enumerate() {
        let fault = club.refused(&captured(&index.to_string(), NOON, way));
        assert_eq!(fault.reason, reason, "way {index}");
        assert!(fault.amount.is_some() && !fault.detail.contains("no address"), "way {index}: {fault:?}");
    }
    let missing = club.refused(&signed("d", NOON, None));
    assert_eq!((missing.reason, missing.amount), (reasons::MISSING_FIELD, None));
    assert_eq!(club.balance(ada()), (0, 0));
}

#[test]
fn more_points_than_can_be_counted_are_a_dead_letter() {
    let twice = |name: &str| payments(|rule| rule.name = Some(name.to_owned()));
    let mut club = Club::of(vec![twice("a"), twice("b")]);
    let fault = club.refused(&paid("1", NOON, 800_000_000_000_000_000));
    assert_eq!(fault.reason, reasons::WRONG_AMOUNT);
    assert_eq!(club.apply(&paid("2", NOON, 400_000_000_000_000_000)).len(), 2);
}

#[test]
fn a_refund_takes_back_what_is_above_the_rest_of_the_payment() {
    let mut club = Club::of(vec![rule(Trigger::PaymentCaptured)]);
    assert_eq!(club.apply(&paid("1", NOON, 4050)), [(40, 40)]);
    assert_eq!(club.apply(&refunded("1", LATER, 51)), [(-1, -1)], "39.99 USD are left");
    assert_eq!(club.apply(&refunded("1", LATER, 3000)), [(-29, -29)]);
    assert_eq!(club.apply(&refunded("1", LATER, 2000)), [(0, 0)], "a word that was overtaken");
    assert_eq!(club.apply(&refunded("1", LATER, 9000)), [(-10, -10)], "more than was paid");
    assert_eq!(club.balance(ada()), (0, 0));
}

#[test]
fn a_lost_dispute_takes_all_back_and_no_other_does_anything() {
    let mut club = Club::of(vec![rule(Trigger::PaymentCaptured)]);
    club.apply(&paid("1", NOON, 4000));
    for phase in [DisputePhase::Opened, DisputePhase::Won] {
        assert_eq!(club.ignored(&disputed("1", LATER, phase)), reasons::DISPUTE_NOT_LOST);
    }
    assert_eq!(club.apply(&refunded("1", LATER, 1000)), [(-10, -10)]);
    assert_eq!(club.apply(&disputed("1", LATER, DisputePhase::Lost)), [(-30, -30)]);
    assert_eq!(club.apply(&refunded("1", LATER, 4000)), [(0, 0)], "nothing is taken back twice");
    assert_eq!(club.balance(ada()), (0, 0));
}

#[test]
fn a_fixed_award_is_taken_back_with_the_last_of_its_payment() {
    let mut club = Club::of(vec![payments(|rule| rule.rate = Rate::Award { points: 7 })]);
    club.apply(&paid("1", NOON, 4000));
    assert_eq!(club.apply(&refunded("1", LATER, 3999)), [(0, 0)]);
    assert_eq!(club.apply(&refunded("1", LATER, 4000)), [(-7, -7)]);
}

#[test]
fn a_refund_that_nobody_can_place_waits_or_is_a_dead_letter() {
    let mut club = Club::of(vec![rule(Trigger::PaymentCaptured)]);
    let early = club.refused(&refunded("1", LATER, 4000));
    assert_eq!((early.reason, early.amount), (reasons::PAYMENT_UNKNOWN, Some(Amount::exact(dollars(4000)))));
    assert_eq!(club.refused(&disputed("1", LATER, DisputePhase::Lost)).reason, reasons::PAYMENT_UNKNOWN);
    club.apply(&paid("1", NOON, 4000));
    assert_eq!(club.refused(&refunded("1", LATER, 0)).reason, reasons::WRONG_AMOUNT);
    let mut euros = refunded("1", LATER, 4000);
    let Fact::PaymentRefunded(refund) = &mut euros.fact else { unreachable!() };
    refund.cumulative.currency = rollbook_domain::Currency::parse("EUR").unwrap();
    assert_eq!(club.refused(&euros).reason, reasons::WRONG_CURRENCY);
    assert_eq!(club.apply(&refunded("1", LATER, 4000)), [(-40, -40)]);
}

#[test]
fn points_that_are_spent_become_a_debt_that_the_next_award_pays() {
    use rollbook_ledger::{Actor, Asset, Command, Destination, Move, Order, TransactionId};

    let mut club = Club::of(vec![rule(Trigger::PaymentCaptured)]);
    club.apply(&paid("1", NOON, 4000));
    let spend = Move::Spend { from: ada(), to: Destination::Redeemed, amount: 30 };
    let order = Order::Post { asset: Asset::Points, moves: vec![spend] };
    let id = TransactionId::of_key("a redemption");
    club.world.ledger.run_one(Command::new(id, instant(NOON), Actor::System, order).unwrap());
    club.apply(&refunded("1", LATER, 4000));
    assert_eq!(club.balance(ada()), (0, 30));
    club.apply(&paid("2", LATER, 3500));
    assert_eq!(club.balance(ada()), (5, 0));
    club.world.ledger.assert_sound();
}

#[test]
fn a_cap_is_counted_by_calendar_month_of_the_zone() {
    let mut club = Club::of(vec![payments(|rule| rule.most = Some(monthly(100)))]);
    assert_eq!(club.apply(&paid("1", "2019-04-01T03:59:59Z", 9000)), [(90, 90)], "31 March in Boston");
    assert_eq!(club.apply(&paid("2", NOON, 9000)), [(90, 10)]);
    assert_eq!(club.apply(&paid("3", NOON, 9000)), [(90, 0)]);
    assert_eq!(club.apply(&paid("4", "2019-04-01T04:00:00Z", 9000)), [(90, 90)]);
    let other = captured("5", NOON, |capture| capture.email = Some("bea@example.org".to_owned()));
    assert_eq!(club.apply(&other), [(40, 40)], "everybody has a cap of their own");
    let lots = [("2021-04-01T04:00:00Z".to_owned(), 100), ("2021-05-01T04:00:00Z".to_owned(), 90)];
    assert_eq!(club.lots(ada()), lots);
}

#[test]
fn what_is_above_a_cap_moves_up_when_something_is_taken_back() {
    let mut club = Club::of(vec![payments(|rule| rule.most = Some(monthly(100)))]);
    club.apply(&paid("1", NOON, 8000));
    assert_eq!(club.apply(&paid("2", NOON, 8000)), [(80, 20)]);
    assert_eq!(club.apply(&refunded("1", LATER, 8000)), [(-80, -20)], "the second payment fills the cap up to 80");
    assert_eq!(club.balance(ada()), (80, 0));
    // Of what the first one gave 60 still stand, and 20 of the second.
    assert_eq!(club.apply(&refunded("2", LATER, 8000)), [(-80, -20), (0, -60)]);
    assert_eq!(club.balance(ada()), (0, 0));
    assert_eq!(club.lots(ada()), []);
}

#[test]
fn caps_of_different_rules_do_not_meet() {
    let mut club = Club::of(vec![
        payments(|rule| (rule.name, rule.most) = (Some("month".to_owned()), Some(monthly(10)))),
        payments(|rule| {
            (rule.name, rule.most) = (Some("week".to_owned()), Some(Most { points: 25, every: Every::Week }));
        }),
    ]);
    assert_eq!(club.apply(&paid("1", NOON, 2000)), [(20, 10), (20, 20)]);
    assert_eq!(club.apply(&paid("2", NOON, 2000)), [(20, 0), (20, 5)]);
}

/// Everything that was in force is kept with what was earned.
#[test]
fn a_changed_configuration_moves_nothing_old() {
    let of = |rate, most| rules(vec![payments(|rule| (rule.rate, rule.most) = (rate, most))]);
    let mut club = Club::of(vec![]);
    club.configure(of(PER_DOLLAR, None));
    club.apply(&paid("1", NOON, 4000));
    club.configure(Rules { expire_after: None, ..of(Rate::PerUnit { per_10000: 50_000 }, Some(monthly(30))) });
    assert_eq!(club.apply(&paid("2", NOON, 1000)), [(50, 30)], "what was earned without a cap fills none");
    assert_eq!(club.apply(&refunded("1", LATER, 2000)), [(-20, -20)], "at the old rate");
    club.configure(of(PER_DOLLAR, Some(monthly(10))));
    assert_eq!(club.apply(&paid("3", NOON, 1000)), [(10, 0)], "a lower cap takes nothing away");
    club.configure(rules(vec![]));
    assert_eq!(club.apply(&refunded("2", LATER, 1000)), [(-50, -20)], "with no rule left, and 10 still earned");
    assert_eq!(club.balance(ada()), (30, 0));
}

#[test]
fn a_raised_cap_gives_what_was_above_it_with_the_next_payment_of_the_period() {
    let of = |points| rules(vec![payments(|rule| rule.most = Some(monthly(points)))]);
    let mut club = Club::of(vec![]);
    club.configure(of(10));
    assert_eq!(club.apply(&paid("1", NOON, 4000)), [(40, 10)]);
    club.configure(of(45));
    assert_eq!(club.apply(&paid("2", NOON, 1000)), [(10, 35)]);
}

/// Whoever has no rule with a cap never waits for another event of the same member.
#[test]
fn only_a_cap_reads_what_was_earned_before() {
    let none = Club::of(vec![rule(Trigger::PaymentCaptured), rule(Trigger::MemberRegistered)]);
    assert_eq!(none.points.reads(&paid("1", NOON, 4000)), Reads::default());
    assert_eq!(none.points.reads(&registered(ADA, NOON)), Reads::default());
    let capped = Club::of(vec![payments(|rule| rule.most = Some(monthly(10)))]);
    assert_eq!(capped.points.reads(&paid("1", NOON, 4000)).scopes.len(), 1);
    assert_eq!(capped.points.reads(&registered(ADA, NOON)), Reads::default());
    let nobody = captured("1", NOON, |capture| capture.email = None);
    assert_eq!(capped.points.reads(&nobody), Reads::default());
}

#[test]
fn it_wants_what_rules_can_name_and_what_takes_back() {
    let club = Club::of(vec![]);
    for trigger in Trigger::ALL {
        assert!(club.points.wants().contains(&trigger.kind()));
    }
    assert!(club.wants(&refunded("1", NOON, 1)) && club.wants(&disputed("1", NOON, DisputePhase::Won)));
    let declined = event("payment:1:declined".into(), NOON, Fact::PaymentDeclined);
    assert!(!club.wants(&declined) && !club.points.wants().contains(&FactKind::Other));
}

#[test]
fn rules_of_one_name_one_after_the_other_share_a_cap() {
    let until = payments(|rule| {
        rule.most = Some(monthly(50));
        rule.valid_until = Some("2019-03-15".parse().unwrap());
    });
    let from = Rule {
        rate: Rate::PerUnit { per_10000: 20_000 },
        valid_from: Some("2019-03-16".parse().unwrap()),
        valid_until: None,
        ..until.clone()
    };
    let mut club = Club::of(vec![from, until]);
    assert_eq!(club.apply(&paid("1", NOON, 4000)), [(40, 40)]);
    assert_eq!(club.apply(&paid("2", LATER, 4000)), [(80, 10)]);
}

/// Two rules give points of one payment that expire at different times.
#[test]
fn what_is_taken_back_is_what_its_rule_gave_whichever_payment_came_first() {
    let earn =
        || vec![payments(|rule| rule.most = Some(monthly(60))), payments(|rule| rule.name = Some("all".to_owned()))];
    let left = [["1", "2"], ["2", "1"]].map(|order| {
        let mut club = Club::of(earn());
        for transaction in order {
            let at = if transaction == "1" { "2019-01-05T17:00:00Z" } else { "2019-01-10T17:00:00Z" };
            club.apply(&paid(transaction, at, 6000));
        }
        for (transaction, cumulative) in [("2", 3000), ("1", 3000), ("2", 6000)] {
            club.apply(&refunded(transaction, LATER, cumulative));
        }
        club.lots(ada())
    });
    assert_eq!(left[0], [("2021-01-05T17:00:00Z".to_owned(), 30), ("2021-02-01T05:00:00Z".to_owned(), 30)]);
    assert_eq!(left[0], left[1]);
}
