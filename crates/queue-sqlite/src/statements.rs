//! The statements. Those with many rows are built once.

use rollbook_sqlite::Bulk;

/// Bits of a delivery's id that number it within its body. `sql/schema.sql` says why.
pub(crate) const WITHIN_BODY: u32 = 20;

/// A body above this is written by a statement of its own: a cached statement holds the values it
/// was last given.
pub(crate) const SMALL_BODY: usize = 64 << 10;

const MOST_BODIES: usize = 64;

pub(crate) const CLAIMABLE: &str = "SELECT id, handed_out, bytes FROM delivery \
    WHERE queue = ? AND leased = 0 AND due <= ? ORDER BY due, id LIMIT ?";

pub(crate) const NEXT_DUE: &str = "SELECT min(due) FROM delivery WHERE queue = ? AND leased = 0";

/// Binds: due, published at, failure, the delivery that failed. The copy shares its body.
pub(crate) const DEAD_LETTER: &str = "INSERT INTO delivery (id, queue, due, redecide, published_at, bytes, failure) \
    SELECT (SELECT max(n.id) + 1 FROM delivery AS n \
            WHERE n.id BETWEEN (d.id >> 20) << 20 AND ((d.id >> 20) << 20) + 1048575), \
        'dead-letters', ?, d.redecide, ?, d.bytes, ? \
    FROM delivery AS d WHERE d.id = ?";

pub(crate) const DEPTH: &str = "SELECT \
    (SELECT count(*) FROM delivery WHERE queue = ?1 AND leased = 0 AND due <= ?2), \
    (SELECT count(*) FROM delivery WHERE queue = ?1 AND leased = 1), \
    (SELECT count(*) FROM delivery WHERE queue = ?1 AND leased = 0 AND due > ?2), \
    (SELECT min(published_at) FROM delivery WHERE queue = ?1)";

pub(crate) const HELD: &str = "SELECT count(*), coalesce(sum(bytes), 0) FROM delivery WHERE queue = ?";

pub(crate) const HIGHEST_BODY: &str =
    "SELECT max(coalesce((SELECT max(id) FROM body), 0), coalesce((SELECT max(id) FROM delivery), 0) >> 20)";

pub(crate) const FORGET_LEASES: &str = "UPDATE delivery SET leased = 0 WHERE leased = 1";

#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) body: Bulk,
    pub(crate) delivery: Bulk,
    pub(crate) lease: Bulk,
    pub(crate) release: Bulk,
    pub(crate) give_back: Bulk,
    pub(crate) retry: Bulk,
    pub(crate) delete: Bulk,
    pub(crate) delete_body: Bulk,
}

impl Statements {
    pub(crate) fn new() -> Self {
        Self {
            body: Bulk::at_most(
                "INSERT INTO body (id, envelope, source, delivery_key, received_at, headers, trace, body) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                MOST_BODIES,
            ),
            delivery: Bulk::new(
                "INSERT INTO delivery (id, queue, due, redecide, published_at, bytes) VALUES (?, ?, ?, ?, ?, ?)",
            ),
            lease: Bulk::new("UPDATE delivery SET leased = 1, handed_out = handed_out + 1 WHERE id IN (VALUES (?))"),
            release: Bulk::new("UPDATE delivery SET leased = 0, handed_out = handed_out - 1 WHERE id IN (VALUES (?))"),
            give_back: Bulk::new(
                "UPDATE delivery SET leased = 0, due = max(due, v.column2), \
                 handed_out = max(handed_out - v.column3, 0) FROM (VALUES (?, ?, ?)) AS v WHERE delivery.id = v.column1",
            ),
            retry: Bulk::new(
                "UPDATE delivery SET leased = 0, handed_out = 0, due = v.column2, attempts = v.column3 \
                 FROM (VALUES (?, ?, ?)) AS v WHERE delivery.id = v.column1",
            ),
            delete: Bulk::new("DELETE FROM delivery WHERE id IN (VALUES (?))"),
            delete_body: Bulk::new(
                "DELETE FROM body WHERE id IN (VALUES (?)) AND NOT EXISTS (SELECT 1 FROM delivery \
                 WHERE delivery.id BETWEEN body.id << 20 AND (body.id << 20) + 1048575)",
            ),
        }
    }
}

/// For the consumers, on a connection that only reads.
pub(crate) fn handed_out() -> Bulk {
    Bulk::new(
        "SELECT d.id, d.attempts, d.handed_out, d.redecide, d.failure, b.envelope, b.source, b.delivery_key, \
         b.received_at, b.headers, b.trace, b.body FROM delivery AS d JOIN body AS b ON b.id = d.id >> 20 \
         WHERE d.id IN (VALUES (?))",
    )
}
