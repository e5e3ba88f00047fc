-- The ledger of points and minutes. What writes it, in which order: crates/ledger/src/schema.rs.

-- Accounts. A balance is moved by the triggers below alone: an inserted leg moves `posted`, a hold
-- that opens or is resolved moves `held`. Whatever the code does, a balance is what its legs and
-- open holds sum to, and the check refuses the one too many. The system's accounts keep zeros: no
-- writer waits for another there.
CREATE TABLE ledger_account (
    id         uuid   PRIMARY KEY,
    asset      text COLLATE "C" NOT NULL CHECK (asset IN ('points', 'minutes')),
    owner_kind text COLLATE "C" NOT NULL CHECK (owner_kind IN ('person', 'group', 'system')),
    -- Nil for the system.
    owner      uuid   NOT NULL,
    place      text COLLATE "C" NOT NULL CHECK (place IN ('available', 'owed', 'issued', 'redeemed', 'expired')),
    posted     bigint NOT NULL DEFAULT 0,
    held       bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
    -- How many legs touched it.
    version    bigint NOT NULL DEFAULT 0,
    UNIQUE (asset, owner_kind, owner, place),
    UNIQUE (id, asset),
    CHECK ((owner_kind = 'system') = (place IN ('issued', 'redeemed', 'expired'))),
    CONSTRAINT no_overdraft CHECK (place <> 'available' OR posted - held >= 0),
    CONSTRAINT debt_is_no_balance CHECK (place <> 'owed' OR (posted <= 0 AND held = 0)),
    CONSTRAINT system_is_not_counted CHECK (owner_kind <> 'system' OR (posted = 0 AND held = 0 AND version = 0))
) WITH (fillfactor = 50); -- each batch writes to the same rows: room to do so in place

-- One row for every command ever decided, refused ones too: the same id, the same answer. What a
-- refused one names need not exist, so `hold`, `lot` and `reverses` are no foreign keys.
CREATE TABLE ledger_transaction (
    -- In the order in which they were decided, as far as one account goes.
    number      bigint      GENERATED ALWAYS AS IDENTITY,
    id          uuid        PRIMARY KEY,
    kind        text COLLATE "C" NOT NULL CHECK (kind IN ('post', 'hold', 'settle', 'void', 'expire', 'reverse')),
    digest      bytea       NOT NULL CHECK (length(digest) = 16),
    outcome     text COLLATE "C" NOT NULL CHECK (outcome IN ('applied', 'rejected')),
    reason      text COLLATE "C" CHECK (reason <> ''),
    detail      text,
    hold        uuid,
    lot         uuid,
    reverses    uuid,
    -- None: the system.
    actor       uuid,
    memo        text CHECK (memo <> ''),
    -- The command's time, or the date of an expiry.
    happened_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    -- How many legs it has; see the index below.
    legs        bigint      NOT NULL DEFAULT 0 CHECK (legs >= 0),
    -- What it was about, and the balance it left there, as it was answered (who may not spend it is
    -- not told).
    account     uuid,
    left_posted bigint,
    left_held   bigint,
    CHECK ((outcome = 'rejected') = (reason IS NOT NULL)),
    CHECK ((reason IS NULL) = (detail IS NULL)),
    CHECK ((left_posted IS NULL) = (left_held IS NULL)),
    CHECK (left_posted IS NULL OR account IS NOT NULL),
    CHECK (kind NOT IN ('settle', 'void') OR (hold IS NOT NULL AND lot IS NULL)),
    CHECK (kind <> 'expire' OR (hold IS NULL) <> (lot IS NULL)),
    CHECK (kind IN ('settle', 'void', 'expire') OR (hold IS NULL AND lot IS NULL)),
    CHECK ((kind = 'reverse') = (reverses IS NOT NULL)),
    CHECK (kind <> 'expire' OR outcome = 'applied')
);

CREATE UNIQUE INDEX one_resolution_a_hold ON ledger_transaction (hold) WHERE outcome = 'applied' AND hold IS NOT NULL;
CREATE UNIQUE INDEX one_expiry_a_lot ON ledger_transaction (lot) WHERE lot IS NOT NULL;
CREATE UNIQUE INDEX one_reversal_a_transaction ON ledger_transaction (reverses)
    WHERE outcome = 'applied' AND reverses IS NOT NULL;
-- What moved nothing: the history of an owner finds the rest by its legs.
CREATE INDEX transaction_without_legs ON ledger_transaction (account, number) WHERE legs = 0;

-- Moves one amount from one account to another of the same asset: sums are zero by shape.
CREATE TABLE leg (
    transaction_id uuid     NOT NULL,
    n              smallint NOT NULL CHECK (n >= 0),
    asset          text COLLATE "C" NOT NULL,
    from_account   uuid     NOT NULL,
    to_account     uuid     NOT NULL,
    amount         bigint   NOT NULL CHECK (amount > 0),
    -- The version of the account after this leg; none for the system's.
    from_version   bigint,
    to_version     bigint,
    -- What gave the units that this leg takes back.
    takes_back     uuid CHECK (takes_back <> transaction_id),
    PRIMARY KEY (transaction_id, n),
    CHECK (from_account <> to_account),
    UNIQUE (from_account, from_version),
    UNIQUE (to_account, to_version)
);

CREATE INDEX leg_takes_back ON leg (takes_back) WHERE takes_back IS NOT NULL;

CREATE TABLE hold (
    id         uuid   PRIMARY KEY REFERENCES ledger_transaction,
    account    uuid   NOT NULL REFERENCES ledger_account,
    amount     bigint NOT NULL CHECK (amount > 0),
    state      text COLLATE "C" NOT NULL CHECK (state IN ('open', 'settled', 'voided', 'expired')),
    settled    bigint NOT NULL DEFAULT 0 CHECK (settled BETWEEN 0 AND amount),
    expires_at timestamptz,
    CHECK ((state = 'settled') = (settled > 0))
);

CREATE INDEX hold_due ON hold (account, expires_at) WHERE state = 'open';
CREATE INDEX hold_due_anywhere ON hold (expires_at) WHERE state = 'open' AND expires_at IS NOT NULL;

CREATE TABLE lot (
    id             uuid        PRIMARY KEY,
    account        uuid        NOT NULL REFERENCES ledger_account,
    transaction_id uuid        NOT NULL,
    n              smallint    NOT NULL,
    source         uuid        REFERENCES lot,
    expires_at     timestamptz NOT NULL,
    amount         bigint      NOT NULL CHECK (amount > 0),
    remaining      bigint      NOT NULL,
    held           bigint      NOT NULL CHECK (held BETWEEN 0 AND remaining),
    expired        bigint      NOT NULL CHECK (expired >= 0),
    lapsed         boolean     NOT NULL,
    FOREIGN KEY (transaction_id, n) REFERENCES leg,
    CHECK (remaining + expired <= amount),
    CHECK (NOT lapsed OR remaining = held)
);

CREATE INDEX lot_soonest ON lot (account, expires_at, id) WHERE remaining > held;
CREATE INDEX lot_due ON lot (expires_at) WHERE remaining > held;

CREATE TABLE lot_movement (
    -- In the order in which they were decided: a reversal goes the same way back.
    number         bigint   GENERATED ALWAYS AS IDENTITY,
    transaction_id uuid     NOT NULL,
    n              smallint NOT NULL,
    lot            uuid     NOT NULL REFERENCES lot,
    amount         bigint   NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (transaction_id, n, lot),
    FOREIGN KEY (transaction_id, n) REFERENCES leg
);

CREATE TABLE hold_pin (
    hold   uuid   NOT NULL REFERENCES hold,
    lot    uuid   NOT NULL REFERENCES lot,
    amount bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (hold, lot)
);

-- The triggers below look at all rows of a statement at once. Where they stand for a foreign key it
-- is because that one would look up each row by itself and cost a third of a batch; nothing that is
-- referred to is ever changed or deleted, so a look is enough. Their settings keep a plan that was
-- made over small tables good for large ones: rows are looked up by key, one by one.

CREATE FUNCTION know_accounts() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off AS $$
BEGIN
    IF EXISTS (
        SELECT FROM new_transaction AS t
        WHERE t.account IS NOT NULL AND NOT EXISTS (SELECT FROM ledger_account AS a WHERE a.id = t.account)) THEN
        RAISE EXCEPTION 'ledger_transaction: about no account' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER transactions_are_about_accounts AFTER INSERT ON ledger_transaction
REFERENCING NEW TABLE AS new_transaction FOR EACH STATEMENT EXECUTE FUNCTION know_accounts();

-- Nothing is undone twice: by a take-back that stands and by a reversal. `OFFSET 0` keeps each
-- question a look-up of its own.
CREATE FUNCTION reverse_once() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off AS $$
BEGIN
    IF EXISTS (
        SELECT FROM new_transaction AS t
        WHERE t.reverses IS NOT NULL AND t.outcome = 'applied' AND EXISTS (
            SELECT FROM leg AS l
            WHERE l.takes_back = t.reverses AND NOT EXISTS (
                SELECT FROM ledger_transaction AS r
                WHERE r.reverses = l.transaction_id AND r.outcome = 'applied' OFFSET 0) OFFSET 0)) THEN
        RAISE EXCEPTION 'ledger_transaction: reverses what was taken back' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER what_is_taken_back_is_not_reversed AFTER INSERT ON ledger_transaction
REFERENCING NEW TABLE AS new_transaction FOR EACH STATEMENT EXECUTE FUNCTION reverse_once();

CREATE FUNCTION take_back_once() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off AS $$
BEGIN
    IF EXISTS (
        SELECT FROM new_leg AS l
        WHERE l.takes_back IS NOT NULL AND NOT EXISTS (
            SELECT FROM ledger_transaction AS t WHERE t.id = l.takes_back OFFSET 0)) THEN
        RAISE EXCEPTION 'leg: takes back of no transaction' USING ERRCODE = 'foreign_key_violation';
    END IF;
    IF EXISTS (
        SELECT FROM new_leg AS l
        WHERE l.takes_back IS NOT NULL
            AND EXISTS (
                SELECT FROM ledger_transaction AS r
                WHERE r.reverses = l.takes_back AND r.outcome = 'applied' OFFSET 0)
            AND NOT EXISTS (
                SELECT FROM ledger_transaction AS r
                WHERE r.reverses = l.transaction_id AND r.outcome = 'applied' OFFSET 0)) THEN
        RAISE EXCEPTION 'leg: takes back what was reversed' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER what_is_reversed_is_not_taken_back AFTER INSERT ON leg
REFERENCING NEW TABLE AS new_leg FOR EACH STATEMENT EXECUTE FUNCTION take_back_once();

-- Moves the balances of owners by their legs. A leg must name a transaction, two accounts of its
-- asset, and of an owner's account the next version, so that a leg which somebody decided by what
-- stood there before is refused.
CREATE FUNCTION post_legs() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off AS $$
DECLARE
    owners bigint;
    systems bigint;
    named bigint;
BEGIN
    IF EXISTS (
        SELECT FROM new_leg AS l
        WHERE NOT EXISTS (SELECT FROM ledger_transaction AS t WHERE t.id = l.transaction_id)) THEN
        RAISE EXCEPTION 'leg: of no transaction' USING ERRCODE = 'foreign_key_violation';
    END IF;
    UPDATE ledger_account AS a
    SET posted = a.posted + side.amount, version = a.version + side.legs
    FROM (
        SELECT id, asset, sum(amount)::bigint AS amount, count(*) AS legs, count(DISTINCT version) AS versions,
            min(version) AS first, max(version) AS last
        FROM (
            SELECT from_account AS id, asset, -amount AS amount, from_version AS version FROM new_leg
            UNION ALL
            SELECT to_account, asset, amount, to_version FROM new_leg
        ) AS one
        GROUP BY id, asset
    ) AS side
    WHERE a.id = side.id AND a.asset = side.asset AND a.owner_kind <> 'system'
        AND side.versions = side.legs AND side.first = a.version + 1 AND side.last = a.version + side.legs;
    GET DIAGNOSTICS owners = ROW_COUNT;
    SELECT count(*), count(a.id)
    INTO named, systems
    FROM (
        SELECT id, asset, count(version) AS versions
        FROM (
            SELECT from_account AS id, asset, from_version AS version FROM new_leg
            UNION ALL
            SELECT to_account, asset, to_version FROM new_leg
        ) AS one
        GROUP BY id, asset
    ) AS side
    LEFT JOIN LATERAL (
        SELECT id
        FROM ledger_account
        WHERE side.versions = 0 AND id = side.id AND asset = side.asset AND owner_kind = 'system'
        LIMIT 1
    ) AS a ON true;
    IF owners + systems <> named THEN
        RAISE EXCEPTION 'leg: moves an account of its asset to its next version' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER legs_move_balances AFTER INSERT ON leg
REFERENCING NEW TABLE AS new_leg FOR EACH STATEMENT EXECUTE FUNCTION post_legs();

CREATE FUNCTION place_holds() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off AS $$
BEGIN
    UPDATE ledger_account AS a
    SET held = a.held + opened.amount
    FROM (
        SELECT account, sum(amount)::bigint AS amount FROM new_hold WHERE state = 'open' GROUP BY account
    ) AS opened
    WHERE a.id = opened.account;
    RETURN NULL;
END
$$;

CREATE TRIGGER holds_are_counted AFTER INSERT ON hold
REFERENCING NEW TABLE AS new_hold FOR EACH STATEMENT EXECUTE FUNCTION place_holds();

CREATE TRIGGER hold_is_resolved_once BEFORE UPDATE ON hold FOR EACH ROW
WHEN (OLD.state <> 'open'
    OR NEW.state = 'open'
    OR NEW.id <> OLD.id
    OR NEW.account <> OLD.account
    OR NEW.amount <> OLD.amount
    OR NEW.expires_at IS DISTINCT FROM OLD.expires_at)
EXECUTE FUNCTION refuse('hold: resolved once, otherwise never changed');

CREATE FUNCTION release_holds() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off AS $$
BEGIN
    UPDATE ledger_account AS a
    SET held = a.held - released.amount
    FROM (SELECT account, sum(amount)::bigint AS amount FROM old_hold GROUP BY account) AS released
    WHERE a.id = released.account;
    RETURN NULL;
END
$$;

CREATE TRIGGER holds_are_released AFTER UPDATE ON hold
REFERENCING OLD TABLE AS old_hold FOR EACH STATEMENT EXECUTE FUNCTION release_holds();

-- Balances move in triggers only.
CREATE TRIGGER balances_follow BEFORE UPDATE ON ledger_account FOR EACH ROW
WHEN (pg_trigger_depth() = 0)
EXECUTE FUNCTION refuse('ledger_account: balances follow legs and holds');

CREATE TRIGGER accounts_begin_empty BEFORE INSERT ON ledger_account FOR EACH ROW
WHEN (NEW.posted <> 0 OR NEW.held <> 0 OR NEW.version <> 0)
EXECUTE FUNCTION refuse('ledger_account: balances follow legs and holds');

CREATE TRIGGER ledger_account_is_never_deleted BEFORE DELETE OR TRUNCATE ON ledger_account
EXECUTE FUNCTION refuse('ledger_account: never deleted');
CREATE TRIGGER ledger_transaction_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transaction
EXECUTE FUNCTION refuse('ledger_transaction: append-only');
CREATE TRIGGER leg_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON leg
EXECUTE FUNCTION refuse('leg: append-only');
CREATE TRIGGER lot_movement_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON lot_movement
EXECUTE FUNCTION refuse('lot_movement: append-only');
CREATE TRIGGER hold_pin_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON hold_pin
EXECUTE FUNCTION refuse('hold_pin: append-only');
CREATE TRIGGER hold_is_never_deleted BEFORE DELETE OR TRUNCATE ON hold
EXECUTE FUNCTION refuse('hold: resolved, never deleted');
CREATE TRIGGER lot_is_never_deleted BEFORE DELETE OR TRUNCATE ON lot
EXECUTE FUNCTION refuse('lot: spent or expired, never deleted');
CREATE TRIGGER lot_keeps_its_origin
BEFORE UPDATE OF id, account, transaction_id, n, source, expires_at, amount ON lot
EXECUTE FUNCTION refuse('lot: where it came from never changes');
