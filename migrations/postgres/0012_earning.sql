-- What facts earned, by rule: the points processor's records. What it moved stands in the ledger.
-- Append-only. The rate, the cap and the dates are those that were in force when it was earned, so
-- that a changed configuration moves nothing old.

CREATE TABLE earning (
    fact           bigint  NOT NULL REFERENCES processed (id),
    -- The rule's identity.
    rule           text COLLATE "C" NOT NULL CHECK (rule <> ''),
    -- Whose points were moved: of this fact where they were given, of the one that gave them where
    -- they were taken back.
    award_of       bigint  NOT NULL,
    owner_kind     text COLLATE "C" NOT NULL CHECK (owner_kind IN ('person', 'group')),
    owner          uuid    NOT NULL,
    -- The payment that earned, if one did: what was paid, and how much of it was given back by now.
    account        text COLLATE "C",
    transaction_id text COLLATE "C",
    amount_minor   bigint,
    currency       text COLLATE "C" CHECK (currency ~ '^[A-Z]{3}$'),
    returned_minor bigint,
    -- One of the two: points for 10,000 units of the currency, or so many at once.
    per_10000      bigint  CHECK (per_10000 > 0),
    award          bigint  CHECK (award > 0),
    -- Under a cap: the calendar period that it is counted over, both days included, and the cap.
    period_first   date,
    period_last    date,
    cap            bigint  CHECK (cap > 0),
    -- Before the cap and after it.
    earned         bigint  NOT NULL,
    moved          bigint  NOT NULL,
    -- The transaction of the ledger that moved it; none where nothing was moved.
    posted_by      uuid    REFERENCES ledger_transaction (id),
    happened_at    timestamptz NOT NULL,
    expires_at     timestamptz,
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
);

CREATE INDEX earning_by_payment ON earning (account, transaction_id) WHERE account IS NOT NULL;
CREATE INDEX earning_by_scope ON earning (owner, rule, period_first, period_last) WHERE period_first IS NOT NULL;
CREATE INDEX earning_by_award ON earning (award_of);
CREATE INDEX earning_by_posting ON earning (posted_by) WHERE posted_by IS NOT NULL;

CREATE TRIGGER earning_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON earning
EXECUTE FUNCTION refuse('earning: append-only');

-- Whoever earns under a cap, or gives something back: a person or a group. Two events of one of them
-- read what the other wrote, so the second waits here for the first. Nothing else is asked of these rows.
CREATE TABLE earner (
    owner uuid PRIMARY KEY
);
