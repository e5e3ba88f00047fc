-- Payments and what happened to them afterwards are facts and append-only. Terms are derived from
-- them: one a payment, rewritten when a fold gives other dates, every writing journalled.

CREATE TABLE payment (
    number              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account             text COLLATE "C" NOT NULL,
    -- The provider's own id.
    transaction_id      text COLLATE "C" NOT NULL CHECK (transaction_id <> ''),
    -- What made this row, and its key once more, because every load reads it.
    fact                bigint      NOT NULL UNIQUE REFERENCES processed (id),
    event_key           text COLLATE "C" NOT NULL,
    person              bigint      NOT NULL REFERENCES person (number),
    paid_at             timestamptz NOT NULL,
    -- The date of `paid_at` in the organisation's zone.
    paid_on             date        NOT NULL,
    amount_minor        bigint      NOT NULL CHECK (amount_minor >= 0),
    currency            text COLLATE "C" NOT NULL CHECK (currency ~ '^[A-Z][A-Z][A-Z]$'),
    category            text COLLATE "C" NOT NULL,
    -- In force when the payment was applied; the fold reads it from here for ever.
    renewal_window_days bigint      NOT NULL CHECK (renewal_window_days >= 0),
    UNIQUE (account, transaction_id)
);

CREATE INDEX payment_by_person ON payment (person);

CREATE TABLE adjustment (
    fact             bigint      PRIMARY KEY REFERENCES processed (id),
    payment          bigint      NOT NULL REFERENCES payment (number),
    kind             text COLLATE "C" NOT NULL
        CHECK (kind IN ('refunded', 'dispute_opened', 'dispute_won', 'dispute_lost')),
    -- All refunds so far, in the payment's currency.
    cumulative_minor bigint      CHECK (cumulative_minor >= 0),
    happened_at      timestamptz NOT NULL,
    -- The date of `happened_at` in the organisation's zone.
    happened_on      date        NOT NULL,
    CHECK ((kind = 'refunded') = (cumulative_minor IS NOT NULL))
);

CREATE INDEX adjustment_by_payment ON adjustment (payment);

-- Whose it is, its payment tells.
CREATE TABLE term (
    payment    bigint PRIMARY KEY REFERENCES payment (number),
    starts     date   NOT NULL,
    -- The last day on which it is valid.
    expires    date   NOT NULL,
    ended_on   date,
    end_reason text COLLATE "C" CHECK (end_reason IN ('refunded', 'dispute_lost')),
    CHECK (expires > starts),
    CHECK ((ended_on IS NULL) = (end_reason IS NULL))
);

CREATE TABLE term_journal (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment        bigint NOT NULL REFERENCES term (payment),
    -- What stands after this line, and what stood before it (nothing at the first).
    starts         date   NOT NULL,
    expires        date   NOT NULL,
    ended_on       date,
    end_reason     text COLLATE "C",
    was_starts     date,
    was_expires    date,
    was_ended_on   date,
    was_end_reason text COLLATE "C",
    -- What moved it: often another payment's fact.
    fact           bigint NOT NULL REFERENCES processed (id),
    written_at     timestamptz NOT NULL,
    CHECK ((was_starts IS NULL) = (was_expires IS NULL)),
    CHECK ((was_ended_on IS NULL) = (was_end_reason IS NULL))
);

CREATE INDEX term_journal_by_payment ON term_journal (payment);

CREATE TRIGGER payment_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON payment
EXECUTE FUNCTION refuse('payment: append-only');

CREATE TRIGGER adjustment_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON adjustment
EXECUTE FUNCTION refuse('adjustment: append-only');

CREATE TRIGGER term_is_never_deleted BEFORE DELETE OR TRUNCATE ON term
EXECUTE FUNCTION refuse('term: a term ends, it is never deleted');

CREATE TRIGGER term_journal_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON term_journal
EXECUTE FUNCTION refuse('term_journal: append-only');
