-- Payments and what happened to them afterwards are facts and append-only. Terms are derived from
-- them: one a payment, rewritten when a fold gives other dates, every writing journalled.

CREATE TABLE payment (
    number              INTEGER PRIMARY KEY,
    account             TEXT    NOT NULL,
    -- The provider's own id.
    transaction_id      TEXT    NOT NULL CHECK (transaction_id <> ''),
    -- What made this row, and its key once more, because every load reads it.
    fact                INTEGER NOT NULL UNIQUE REFERENCES processed (id),
    event_key           TEXT    NOT NULL,
    person              INTEGER NOT NULL REFERENCES person (number),
    paid_at             INTEGER NOT NULL,
    -- The date of `paid_at` in the organisation's zone.
    paid_on             TEXT    NOT NULL CHECK (paid_on IS date(paid_on)),
    amount_minor        INTEGER NOT NULL CHECK (amount_minor >= 0),
    currency            TEXT    NOT NULL CHECK (currency GLOB '[A-Z][A-Z][A-Z]'),
    category            TEXT    NOT NULL,
    -- In force when the payment was applied; the fold reads it from here for ever.
    renewal_window_days INTEGER NOT NULL CHECK (renewal_window_days >= 0),
    UNIQUE (account, transaction_id)
) STRICT;

CREATE INDEX payment_by_person ON payment (person);

CREATE TABLE adjustment (
    fact             INTEGER PRIMARY KEY REFERENCES processed (id),
    payment          INTEGER NOT NULL REFERENCES payment (number),
    kind             TEXT    NOT NULL CHECK (kind IN ('refunded', 'dispute_opened', 'dispute_won', 'dispute_lost')),
    -- All refunds so far, in the payment's currency.
    cumulative_minor INTEGER CHECK (cumulative_minor >= 0),
    happened_at      INTEGER NOT NULL,
    -- The date of `happened_at` in the organisation's zone.
    happened_on      TEXT    NOT NULL CHECK (happened_on IS date(happened_on)),
    CHECK ((kind = 'refunded') = (cumulative_minor IS NOT NULL))
) STRICT;

CREATE INDEX adjustment_by_payment ON adjustment (payment);

-- Whose it is, its payment tells.
CREATE TABLE term (
    payment    INTEGER PRIMARY KEY REFERENCES payment (number),
    starts     TEXT NOT NULL CHECK (starts IS date(starts)),
    -- The last day on which it is valid.
    expires    TEXT NOT NULL CHECK (expires IS date(expires)),
    ended_on   TEXT CHECK (ended_on IS date(ended_on)),
    end_reason TEXT CHECK (end_reason IN ('refunded', 'dispute_lost')),
    CHECK (expires > starts),
    CHECK ((ended_on IS NULL) = (end_reason IS NULL))
) STRICT;

CREATE TABLE term_journal (
    id             INTEGER PRIMARY KEY,
    payment        INTEGER NOT NULL REFERENCES term (payment),
    -- What stands after this line, and what stood before it (nothing at the first).
    starts         TEXT    NOT NULL CHECK (starts IS date(starts)),
    expires        TEXT    NOT NULL CHECK (expires IS date(expires)),
    ended_on       TEXT    CHECK (ended_on IS date(ended_on)),
    end_reason     TEXT,
    was_starts     TEXT,
    was_expires    TEXT,
    was_ended_on   TEXT,
    was_end_reason TEXT,
    -- What moved it: often another payment's fact.
    fact           INTEGER NOT NULL REFERENCES processed (id),
    written_at     INTEGER NOT NULL,
    CHECK ((was_starts IS NULL) = (was_expires IS NULL)),
    CHECK ((was_ended_on IS NULL) = (was_end_reason IS NULL))
) STRICT;

CREATE INDEX term_journal_by_payment ON term_journal (payment);

CREATE TRIGGER payment_is_never_changed BEFORE UPDATE ON payment
BEGIN
    SELECT RAISE(ABORT, 'payment: append-only');
END;

CREATE TRIGGER payment_is_never_deleted BEFORE DELETE ON payment
BEGIN
    SELECT RAISE(ABORT, 'payment: append-only');
END;

CREATE TRIGGER adjustment_is_never_changed BEFORE UPDATE ON adjustment
BEGIN
    SELECT RAISE(ABORT, 'adjustment: append-only');
END;

CREATE TRIGGER adjustment_is_never_deleted BEFORE DELETE ON adjustment
BEGIN
    SELECT RAISE(ABORT, 'adjustment: append-only');
END;

CREATE TRIGGER term_is_never_deleted BEFORE DELETE ON term
BEGIN
    SELECT RAISE(ABORT, 'term: a term ends, it is never deleted');
END;

CREATE TRIGGER term_journal_is_never_changed BEFORE UPDATE ON term_journal
BEGIN
    SELECT RAISE(ABORT, 'term_journal: append-only');
END;

CREATE TRIGGER term_journal_is_never_deleted BEFORE DELETE ON term_journal
BEGIN
    SELECT RAISE(ABORT, 'term_journal: append-only');
END;
