-- What facts earned, by rule: the points processor's records. What it moved stands in the ledger.
-- Append-only. The rate, the cap and the dates are those that were in force when it was earned, so
-- that a changed configuration moves nothing old. One writer at a time needs no row to lock.

CREATE TABLE earning (
    fact           INTEGER NOT NULL REFERENCES processed (id),
    -- The rule's identity.
    rule           TEXT    NOT NULL CHECK (rule <> ''),
    -- Whose points were moved: of this fact where they were given, of the one that gave them where
    -- they were taken back.
    award_of       INTEGER NOT NULL,
    owner_kind     TEXT    NOT NULL CHECK (owner_kind IN ('person', 'group')),
    owner          BLOB    NOT NULL CHECK (length(owner) = 16),
    -- The payment that earned, if one did: what was paid, and how much of it was given back by now.
    account        TEXT,
    transaction_id TEXT,
    amount_minor   INTEGER,
    currency       TEXT    CHECK (currency GLOB '[A-Z][A-Z][A-Z]'),
    returned_minor INTEGER,
    -- One of the two: points for 10,000 units of the currency, or so many at once.
    per_10000      INTEGER CHECK (per_10000 > 0),
    award          INTEGER CHECK (award > 0),
    -- Under a cap: the calendar period that it is counted over, both days included, and the cap.
    period_first   TEXT    CHECK (period_first IS date(period_first)),
    period_last    TEXT    CHECK (period_last IS date(period_last)),
    cap            INTEGER CHECK (cap > 0),
    -- Before the cap and after it.
    earned         INTEGER NOT NULL,
    moved          INTEGER NOT NULL,
    -- The transaction of the ledger that moved it; none where nothing was moved.
    posted_by      BLOB    REFERENCES ledger_transaction (id),
    happened_at    INTEGER NOT NULL,
    expires_at     INTEGER,
    PRIMARY KEY (fact, rule, award_of),
    FOREIGN KEY (award_of, rule, award_of) REFERENCES earning (fact, rule, award_of),
    CHECK ((moved = 0) = (posted_by IS NULL)),
    CHECK ((account IS NULL) = (transaction_id IS NULL)),
    CHECK ((account IS NULL) = (amount_minor IS NULL)),
    CHECK ((account IS NULL) = (currency IS NULL)),
    CHECK ((account IS NULL) = (returned_minor IS NULL)),
    CHECK (returned_minor BETWEEN 0 AND amount_minor),
    CHECK ((per_10000 IS NULL) <> (award IS NULL)),
    CHECK (per_10000 IS NULL OR account IS NOT NULL),
    CHECK ((period_first IS NULL) = (cap IS NULL)),
    CHECK ((period_last IS NULL) = (cap IS NULL)),
    CHECK (period_first <= period_last),
    CHECK (cap IS NOT NULL OR moved = earned),
    -- An award gives, whatever else takes back.
    CHECK (fact <> award_of OR (earned >= 0 AND moved >= 0)),
    CHECK (fact = award_of OR (earned <= 0 AND moved <= 0))
) STRICT;

CREATE INDEX earning_by_payment ON earning (account, transaction_id) WHERE account IS NOT NULL;
CREATE INDEX earning_by_scope ON earning (owner, rule, period_first, period_last) WHERE period_first IS NOT NULL;
CREATE INDEX earning_by_award ON earning (award_of);
CREATE INDEX earning_by_posting ON earning (posted_by) WHERE posted_by IS NOT NULL;

CREATE TRIGGER earning_is_never_changed BEFORE UPDATE ON earning
BEGIN
    SELECT RAISE(ABORT, 'earning: append-only');
END;

CREATE TRIGGER earning_is_never_deleted BEFORE DELETE ON earning
BEGIN
    SELECT RAISE(ABORT, 'earning: append-only');
END;
