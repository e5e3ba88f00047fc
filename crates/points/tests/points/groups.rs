//! Payments that earn for a group.

use rollbook_domain::{Event, GroupId, Owner};
use rollbook_points::{Trigger, reasons};
use uuid::Uuid;

use crate::world::{ADA, Club, captured, instant, monthly, owner, paid, payments, person, refunded, rule};

const NOON: &str = "2019-03-10T16:00:00Z";
const LATER: &str = "2019-03-20T16:00:00Z";

fn household() -> GroupId {
    GroupId(Uuid::from_u128(0x6006))
}

fn group() -> Owner {
    Owner::Group(household())
}

fn for_group(transaction: &str, at: &str, text: &str) -> Event {
    captured(transaction, at, |capture| capture.points_group = Some(text.to_owned()))
}

fn joined(club: &mut Club, left_at: Option<&str>) {
    club.world.records.group_members.insert((household(), person(ADA)), left_at.map(instant));
}

#[test]
fn a_member_earns_for_their_group_and_a_refund_takes_it_from_there() {
    let mut club = Club::of(vec![rule(Trigger::PaymentCaptured)]);
    joined(&mut club, None);
    club.apply(&for_group("1", NOON, &format!(" {}", household().to_string().to_uppercase())));
    assert_eq!((club.balance(group()), club.balance(owner(ADA))), ((40, 0), (0, 0)));
    club.apply(&refunded("1", LATER, 1000));
    assert_eq!((club.balance(group()), club.balance(owner(ADA))), ((30, 0), (0, 0)));
}

#[test]
fn a_blank_group_is_none() {
    let mut club = Club::of(vec![rule(Trigger::PaymentCaptured)]);
    club.apply(&for_group("1", NOON, "  "));
    assert_eq!(club.balance(owner(ADA)), (40, 0));
}

#[test]
fn what_is_no_id_of_a_group_is_a_dead_letter() {
    let mut club = Club::of(vec![rule(Trigger::PaymentCaptured)]);
    let fault = club.refused(&for_group("1", NOON, "the-family-of-ada"));
    assert_eq!(fault.reason, reasons::BAD_GROUP);
    assert!(fault.amount.is_some() && !fault.detail.contains("ada"), "{fault:?}");
}

/// Joining mends it.
#[test]
fn a_stranger_waits_until_they_have_joined() {
    let mut club = Club::of(vec![rule(Trigger::PaymentCaptured)]);
    let payment = for_group("1", NOON, &household().to_string());
    assert_eq!(club.refused(&payment).reason, reasons::NOT_A_MEMBER);
    assert_eq!(club.refused(&refunded("1", LATER, 1000)).reason, reasons::PAYMENT_UNKNOWN);
    joined(&mut club, None);
    club.apply(&payment);
    assert_eq!(club.balance(group()), (40, 0));
}

#[test]
fn whoever_left_later_than_they_paid_earned_for_the_group() {
    let mut club = Club::of(vec![rule(Trigger::PaymentCaptured)]);
    joined(&mut club, Some(LATER));
    club.apply(&for_group("1", NOON, &household().to_string()));
    let late = club.refused(&for_group("2", LATER, &household().to_string()));
    assert_eq!(late.reason, reasons::NOT_A_MEMBER);
    assert_eq!(club.balance(group()), (40, 0));
}

#[test]
fn a_group_has_a_cap_of_its_own() {
    let mut club = Club::of(vec![payments(|rule| rule.most = Some(monthly(50)))]);
    joined(&mut club, None);
    assert_eq!(club.apply(&paid("1", NOON, 6000)), [(60, 50)]);
    assert_eq!(club.apply(&for_group("2", NOON, &household().to_string())), [(40, 40)]);
    assert_eq!(club.apply(&for_group("3", NOON, &household().to_string())), [(40, 10)]);
}

/// What earns nothing names no group in vain.
#[test]
fn the_group_of_a_payment_that_earns_nothing_is_not_asked_for() {
    let mut club = Club::of(vec![rule(Trigger::MemberRegistered)]);
    assert_eq!(club.ignored(&for_group("1", NOON, "nonsense")), reasons::NO_RULE);
}
