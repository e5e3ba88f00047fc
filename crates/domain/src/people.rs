//! People: how a person becomes known, and whose word about them stands.
//!
//! Payments and waivers introduce people alike, so the rule stands here once. A person's id is
//! derived from their first address; whoever introduces them, and in whatever order, arrives at
//! one person. Of their details the latest word stands by the event's own time, so that an old
//! message that comes late changes nothing.

use crate::{Announcement, Change, Detail, DetailField, Email, Person, PersonId, Stamp, State};

/// What one event says about a person.
#[derive(Clone, Copy)]
pub struct Said<'a> {
    pub email: &'a Email,
    /// The address as its owner wrote it.
    pub written: &'a str,
    pub name: Option<&'a str>,
    pub category: Option<&'a str>,
    pub stamp: &'a Stamp,
}

/// Who was meant, and the changes that make the records say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introduction {
    pub person: PersonId,
    pub changes: Vec<Change>,
}

/// Finds or registers the person of `said.email` and takes over what is newer about them.
///
/// Blank names and categories say nothing. Runs of space inside a name become one space.
pub fn introduce(state: &State, said: &Said<'_>) -> Introduction {
    let known = state.person(said.email);
    let person = known.map_or_else(|| PersonId::of_first_address(said.email), |known| known.id);
    let mut changes = Vec::new();
    if known.is_none() {
        changes.push(Change::RegisterPerson { person, email: said.email.clone() });
        changes.push(Change::Emit(Announcement::MemberRegistered { person }));
    }
    let details = [
        (DetailField::Name, said.name.map(|name| name.split_whitespace().collect::<Vec<_>>().join(" "))),
        (DetailField::Address, Some(said.written.trim().to_owned())),
        (DetailField::Category, said.category.map(str::to_owned)),
    ];
    for (field, value) in details {
        let Some(value) = value.filter(|value| !value.trim().is_empty()) else { continue };
        let detail = Detail { value, stamp: said.stamp.clone() };
        if supersedes(&detail, known, field) {
            changes.push(Change::SetDetail { person, field, detail });
        }
    }
    Introduction { person, changes }
}

/// Keys live in an account, so two accounts can give one stamp; then the greater value stands,
/// for the same answer in any order.
fn supersedes(detail: &Detail, known: Option<&Person>, field: DetailField) -> bool {
    let order = |detail: &Detail| (detail.stamp.clone(), detail.value.clone());
    known.and_then(|person| person.detail(field)).is_none_or(|standing| order(detail) > order(standing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EventKey;

    fn email() -> Email {
        Email::parse("ada@example.org").unwrap()
    }

    fn stamp(second: i64, key: &str) -> Stamp {
        Stamp { at: jiff::Timestamp::from_second(second).unwrap(), key: EventKey::from(key) }
    }

    fn say(state: &mut State, stamp: &Stamp, name: Option<&str>, category: Option<&str>) -> Vec<Change> {
        let said = Said { email: &email(), written: " Ada@Example.org ", name, category, stamp };
        let changes = introduce(state, &said).changes;
        for change in &changes {
            state.apply(change);
        }
        changes
    }

    fn name_of(state: &State) -> Option<&str> {
        state.person(&email())?.name.as_ref().map(|detail| detail.value.as_str())
    }

    #[test]
    fn a_new_person_is_registered_and_announced_once() {
        let mut state = State::default();
        let person = PersonId::of_first_address(&email());
        let first = say(&mut state, &stamp(1, "a"), None, None);
        assert_eq!(first[0], Change::RegisterPerson { person, email: email() });
        assert_eq!(first[1], Change::Emit(Announcement::MemberRegistered { person }));
        let second = say(&mut state, &stamp(2, "b"), None, None);
        assert!(second.iter().all(|change| matches!(change, Change::SetDetail { .. })), "{second:?}");
        assert_eq!(state.people.len(), 1);
    }

    /// These stand in tables. From RFC 9562's own procedure over the normalised address.
    #[test]
    fn a_persons_id_is_stable() {
        assert_eq!(PersonId::of_first_address(&email()).to_string(), "7da5baa2-7460-532b-8734-5aacbad67a59");
    }

    #[test]
    fn any_of_the_addresses_finds_the_person() {
        let mut state = State::default();
        let first = Email::parse("first@example.org").unwrap();
        let mut person = Person::new(PersonId::of_first_address(&first), first);
        person.emails.push(email());
        state.add_person(person.clone());
        let said =
            Said { email: &email(), written: "ada@example.org", name: None, category: None, stamp: &stamp(1, "a") };
        let introduction = introduce(&state, &said);
        assert_eq!(introduction.person, person.id);
        assert!(!introduction.changes.iter().any(|change| matches!(change, Change::RegisterPerson { .. })));
    }

    #[test]
    fn the_latest_word_stands_whenever_it_came() {
        let words = [(stamp(1, "b"), "Old"), (stamp(2, "a"), "New"), (stamp(2, "b"), "Newest")];
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let mut state = State::default();
            for at in order {
                say(&mut state, &words[at].0, Some(words[at].1), None);
            }
            assert_eq!(name_of(&state), Some("Newest"), "{order:?}");
        }
    }

    #[test]
    fn one_stamp_of_two_accounts_gives_one_answer() {
        for order in [["Ada", "Bea"], ["Bea", "Ada"]] {
            let mut state = State::default();
            for name in order {
                say(&mut state, &stamp(1, "a"), Some(name), None);
            }
            assert_eq!(name_of(&state), Some("Bea"), "{order:?}");
        }
    }

    #[test]
    fn a_blank_says_nothing() {
        let mut state = State::default();
        say(&mut state, &stamp(1, "a"), Some("  Ada \t King  "), Some("MU"));
        say(&mut state, &stamp(2, "b"), Some("  "), Some(""));
        let person = state.person(&email()).unwrap();
        assert_eq!(name_of(&state), Some("Ada King"));
        assert_eq!(person.category.as_ref().unwrap().value, "MU");
        assert_eq!(person.address.as_ref().unwrap().value, "Ada@Example.org");
        assert_eq!(person.address.as_ref().unwrap().stamp, stamp(2, "b"));
    }
}
