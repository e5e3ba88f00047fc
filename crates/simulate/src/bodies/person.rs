//! Invented people. Their addresses are under `example.org`, which nobody can own (RFC 2606).

use fastrand::Rng;
use rollbook_domain::Email;

const FIRST: [(&str, &str); 24] = [
    ("Ada", "ada"),
    ("Zoë", "zoe"),
    ("José", "jose"),
    ("Łukasz", "lukasz"),
    ("Mei", "mei"),
    ("Priya", "priya"),
    ("Tobias", "tobias"),
    ("Amara", "amara"),
    ("Noor", "noor"),
    ("Søren", "soren"),
    ("Ingrid", "ingrid"),
    ("Mateo", "mateo"),
    ("Hana", "hana"),
    ("Olu", "olu"),
    ("Freya", "freya"),
    ("Dmitri", "dmitri"),
    ("Leilani", "leilani"),
    ("Bram", "bram"),
    ("Yusuf", "yusuf"),
    ("Clara", "clara"),
    ("Tuğba", "tugba"),
    ("Kofi", "kofi"),
    ("Wen", "wen"),
    ("Maeve", "maeve"),
];

const LAST: [(&str, &str); 20] = [
    ("Alder", "alder"),
    ("O'Rook", "orook"),
    ("Birchwood", "birchwood"),
    ("de la Peña Roja", "delapena"),
    ("Cairn", "cairn"),
    ("Fjällström", "fjallstrom"),
    ("Granite & Sons", "granite"),
    ("Hollow", "hollow"),
    ("Icefall", "icefall"),
    ("Juniper", "juniper"),
    ("Kestrel", "kestrel"),
    ("Larch", "larch"),
    ("Moraine", "moraine"),
    ("Nunatak", "nunatak"),
    ("Overhang", "overhang"),
    ("Piton", "piton"),
    ("Quartz", "quartz"),
    ("Ridgeway", "ridgeway"),
    ("Scree", "scree"),
    ("Tarn", "tarn"),
];

#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    pub first: String,
    /// Empty for people with one name.
    pub last: String,
    pub email: Email,
    /// The address as they type it, which differs from form to form.
    pub written: String,
}

impl Person {
    /// The `number`th person of the run that `tag` names. Each number has an address of its own.
    pub fn invent(rng: &mut Rng, tag: &str, number: usize) -> Self {
        let (first, given) = FIRST[rng.usize(..FIRST.len())];
        let (last, family) = LAST[rng.usize(..LAST.len())];
        let last = if rng.u8(..) < 10 { "" } else { last };
        let address = format!("{given}.{family}.{tag}.{number}@example.org");
        let mut person = Self::new(first, last, &address);
        person.retype(rng);
        person
    }

    /// Somebody with this address. Falls back on a fixed one where `address` cannot be one.
    pub fn new(first: &str, last: &str, address: &str) -> Self {
        let fallback = || Email::parse("nobody@example.org");
        #[expect(clippy::expect_used, reason = "the fallback is a literal address")]
        let email = Email::parse(address).or_else(fallback).expect("a literal address");
        Self { first: first.to_owned(), last: last.to_owned(), email, written: address.to_owned() }
    }

    pub fn name(&self) -> String {
        format!("{} {}", self.first, self.last).trim_end().to_owned()
    }

    /// Types the same address in another way: capitals, a blank.
    pub fn retype(&mut self, rng: &mut Rng) {
        let plain = self.email.as_str();
        self.written = match rng.u8(..8) {
            0 => capitalised(plain),
            1 => format!("{plain} "),
            2 => format!(" {}", capitalised(plain)),
            _ => plain.to_owned(),
        };
    }

    /// The address of whoever pays, which is not the member's.
    pub fn billing_email(&self) -> String {
        format!("billing.{}", self.email)
    }
}

/// Every name part with a capital. The host is left, so that it can be found in a body.
fn capitalised(address: &str) -> String {
    let (local, host) = address.split_once('@').unwrap_or((address, ""));
    let part = |word: &str| {
        let mut chars = word.chars();
        chars.next().map(|c| c.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
    };
    format!("{}@{host}", local.split('.').map(part).collect::<Vec<_>>().join("."))
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person(…)")
    }
}
