-- The ledger of points and minutes. What writes it, in which order: crates/ledger/src/schema.rs.

-- Accounts. A balance is moved by the triggers below alone: an inserted leg moves `posted`, a hold
-- that opens or is resolved moves `held`. Whatever the code does, a balance is what its legs and
-- open holds sum to, and the check refuses the one too many. The system's accounts keep zeros: no
-- writer waits for another there.
CREATE TABLE ledger_account (
    id         BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    asset      TEXT NOT NULL CHECK (asset IN ('points', 'minutes')),
    owner_kind TEXT NOT NULL CHECK (owner_kind IN ('person', 'group', 'system')),
    -- Nil for the system.
    owner      BLOB   NOT NULL,
    place      TEXT NOT NULL CHECK (place IN ('available', 'owed', 'issued', 'redeemed', 'expired')),
    posted     INTEGER NOT NULL DEFAULT 0,
    held       INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
    -- How many legs touched it.
    version    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (asset, owner_kind, owner, place),
    UNIQUE (id, asset),
    CHECK ((owner_kind = 'system') = (place IN ('issued', 'redeemed', 'expired'))),
    CONSTRAINT no_overdraft CHECK (place <> 'available' OR posted - held >= 0),
    CONSTRAINT debt_is_no_balance CHECK (place <> 'owed' OR (posted <= 0 AND held = 0)),
    CONSTRAINT system_is_not_counted CHECK (owner_kind <> 'system' OR (posted = 0 AND held = 0 AND version = 0))
) STRICT;

-- One row for every command ever decided, refused ones too: the same id, the same answer. What a
-- refused one names need not exist, so `hold`, `lot` and `reverses` are no foreign keys.
CREATE TABLE ledger_transaction (
    -- In the order in which they were decided, as far as one account goes.
    number      INTEGER PRIMARY KEY,
    id          BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    kind        TEXT NOT NULL CHECK (kind IN ('post', 'hold', 'settle', 'void', 'expire', 'reverse')),
    digest      BLOB       NOT NULL CHECK (length(digest) = 16),
    outcome     TEXT NOT NULL CHECK (outcome IN ('applied', 'rejected')),
    reason      TEXT CHECK (reason <> ''),
    detail      TEXT,
    hold        BLOB,
    lot         BLOB,
    reverses    BLOB,
    -- None: the system.
    actor       BLOB,
    memo        TEXT CHECK (memo <> ''),
    -- The command's time, or the date of an expiry.
    happened_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    -- How many legs it has; see the index below.
    legs        INTEGER NOT NULL DEFAULT 0 CHECK (legs >= 0),
    -- What it was about, and the balance it left there, as it was answered (who may not spend it is
    -- not told).
    account     BLOB REFERENCES ledger_account (id),
    left_posted INTEGER,
    left_held   INTEGER,
    CHECK ((outcome = 'rejected') = (reason IS NOT NULL)),
    CHECK ((reason IS NULL) = (detail IS NULL)),
    CHECK ((left_posted IS NULL) = (left_held IS NULL)),
    CHECK (left_posted IS NULL OR account IS NOT NULL),
    CHECK (kind NOT IN ('settle', 'void') OR (hold IS NOT NULL AND lot IS NULL)),
    CHECK (kind <> 'expire' OR (hold IS NULL) <> (lot IS NULL)),
    CHECK (kind IN ('settle', 'void', 'expire') OR (hold IS NULL AND lot IS NULL)),
    CHECK ((kind = 'reverse') = (reverses IS NOT NULL)),
    CHECK (kind <> 'expire' OR outcome = 'applied')
) STRICT;

CREATE UNIQUE INDEX one_resolution_a_hold ON ledger_transaction (hold) WHERE outcome = 'applied' AND hold IS NOT NULL;
CREATE UNIQUE INDEX one_expiry_a_lot ON ledger_transaction (lot) WHERE lot IS NOT NULL;
CREATE UNIQUE INDEX one_reversal_a_transaction ON ledger_transaction (reverses)
    WHERE outcome = 'applied' AND reverses IS NOT NULL;
-- What moved nothing: the history of an owner finds the rest by its legs.
CREATE INDEX transaction_without_legs ON ledger_transaction (account) WHERE legs = 0;

-- Moves one amount from one account to another of the same asset: sums are zero by shape.
CREATE TABLE leg (
    transaction_id BLOB     NOT NULL REFERENCES ledger_transaction (id),
    n              INTEGER NOT NULL CHECK (n >= 0),
    asset          TEXT NOT NULL,
    from_account   BLOB     NOT NULL,
    to_account     BLOB     NOT NULL,
    amount         INTEGER   NOT NULL CHECK (amount > 0),
    -- The version of the account after this leg; none for the system's.
    from_version   INTEGER,
    to_version     INTEGER,
    -- What gave the units that this leg takes back.
    takes_back     BLOB REFERENCES ledger_transaction (id) CHECK (takes_back <> transaction_id),
    PRIMARY KEY (transaction_id, n),
    CHECK (from_account <> to_account),
    FOREIGN KEY (from_account, asset) REFERENCES ledger_account (id, asset),
    FOREIGN KEY (to_account, asset) REFERENCES ledger_account (id, asset),
    UNIQUE (from_account, from_version),
    UNIQUE (to_account, to_version)
) STRICT;

CREATE INDEX leg_takes_back ON leg (takes_back) WHERE takes_back IS NOT NULL;

CREATE TABLE hold (
    id         BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16) REFERENCES ledger_transaction (id),
    account    BLOB   NOT NULL REFERENCES ledger_account (id),
    amount     INTEGER NOT NULL CHECK (amount > 0),
    state      TEXT NOT NULL CHECK (state IN ('open', 'settled', 'voided', 'expired')),
    settled    INTEGER NOT NULL DEFAULT 0 CHECK (settled BETWEEN 0 AND amount),
    expires_at INTEGER,
    CHECK ((state = 'settled') = (settled > 0))
) STRICT;

CREATE INDEX hold_due ON hold (account, expires_at) WHERE state = 'open';
CREATE INDEX hold_due_anywhere ON hold (expires_at) WHERE state = 'open' AND expires_at IS NOT NULL;

CREATE TABLE lot (
    id             BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account        BLOB        NOT NULL REFERENCES ledger_account (id),
    transaction_id BLOB        NOT NULL,
    n              INTEGER    NOT NULL,
    source         BLOB        REFERENCES lot (id),
    expires_at     INTEGER NOT NULL,
    amount         INTEGER      NOT NULL CHECK (amount > 0),
    remaining      INTEGER      NOT NULL,
    held           INTEGER      NOT NULL CHECK (held BETWEEN 0 AND remaining),
    expired        INTEGER      NOT NULL CHECK (expired >= 0),
    lapsed         INTEGER     NOT NULL CHECK (lapsed IN (0, 1)),
    FOREIGN KEY (transaction_id, n) REFERENCES leg (transaction_id, n),
    CHECK (remaining + expired <= amount),
    CHECK (NOT lapsed OR remaining = held)
) STRICT;

CREATE INDEX lot_soonest ON lot (account, expires_at, id) WHERE remaining > held;
CREATE INDEX lot_due ON lot (expires_at) WHERE remaining > held;

CREATE TABLE lot_movement (
    -- In the order in which they were decided: a reversal goes the same way back.
    number         INTEGER PRIMARY KEY,
    transaction_id BLOB     NOT NULL,
    n              INTEGER NOT NULL,
    lot            BLOB     NOT NULL REFERENCES lot (id),
    amount         INTEGER   NOT NULL CHECK (amount <> 0),
    UNIQUE (transaction_id, n, lot),
    FOREIGN KEY (transaction_id, n) REFERENCES leg (transaction_id, n)
) STRICT;

CREATE TABLE hold_pin (
    hold   BLOB   NOT NULL REFERENCES hold (id),
    lot    BLOB   NOT NULL REFERENCES lot (id),
    amount INTEGER NOT NULL CHECK (amount > 0),
    PRIMARY KEY (hold, lot)
) STRICT;

CREATE TRIGGER legs_move_balances AFTER INSERT ON leg
BEGIN
    UPDATE ledger_account SET posted = posted - NEW.amount, version = version + 1
    WHERE id = NEW.from_account AND owner_kind <> 'system';
    UPDATE ledger_account SET posted = posted + NEW.amount, version = version + 1
    WHERE id = NEW.to_account AND owner_kind <> 'system';
END;

-- SQLite cannot tell a trigger's update from another's, so these two say when they count.
CREATE TABLE held_is_counted (
    now INTEGER NOT NULL CHECK (now IN (0, 1))
) STRICT;

INSERT INTO held_is_counted VALUES (0);

CREATE TRIGGER holds_are_counted AFTER INSERT ON hold WHEN NEW.state = 'open'
BEGIN
    UPDATE held_is_counted SET now = 1;
    UPDATE ledger_account SET held = held + NEW.amount WHERE id = NEW.account;
    UPDATE held_is_counted SET now = 0;
END;

CREATE TRIGGER hold_is_resolved_once BEFORE UPDATE ON hold
WHEN OLD.state <> 'open' OR NEW.state = 'open' OR OLD.id <> NEW.id OR OLD.account <> NEW.account
  OR OLD.amount <> NEW.amount OR OLD.expires_at IS NOT NEW.expires_at
BEGIN
    SELECT RAISE(ABORT, 'hold: resolved once, otherwise never changed');
END;

CREATE TRIGGER holds_are_released AFTER UPDATE ON hold
BEGIN
    UPDATE held_is_counted SET now = 1;
    UPDATE ledger_account SET held = held - OLD.amount WHERE id = OLD.account;
    UPDATE held_is_counted SET now = 0;
END;

-- What is posted moves by the leg of the new version and by nothing else.
CREATE TRIGGER balances_follow BEFORE UPDATE ON ledger_account
WHEN (NEW.held <> OLD.held AND (SELECT now FROM held_is_counted) = 0)
  OR ((NEW.posted <> OLD.posted OR NEW.version <> OLD.version) AND NOT (NEW.version = OLD.version + 1 AND EXISTS (
        SELECT 1 FROM leg
        WHERE from_account = NEW.id AND from_version = NEW.version AND NEW.posted = OLD.posted - amount
        UNION ALL
        SELECT 1 FROM leg
        WHERE to_account = NEW.id AND to_version = NEW.version AND NEW.posted = OLD.posted + amount)))
  OR (NEW.id, NEW.asset, NEW.owner_kind, NEW.owner, NEW.place)
     <> (OLD.id, OLD.asset, OLD.owner_kind, OLD.owner, OLD.place)
BEGIN
    SELECT RAISE(ABORT, 'ledger_account: balances follow legs and holds');
END;

CREATE TRIGGER accounts_begin_empty BEFORE INSERT ON ledger_account
WHEN NEW.posted <> 0 OR NEW.held <> 0 OR NEW.version <> 0
BEGIN
    SELECT RAISE(ABORT, 'ledger_account: balances follow legs and holds');
END;

CREATE TRIGGER ledger_account_is_never_deleted BEFORE DELETE ON ledger_account
BEGIN
    SELECT RAISE(ABORT, 'ledger_account: never deleted');
END;

CREATE TRIGGER ledger_transaction_is_never_changed BEFORE UPDATE ON ledger_transaction
BEGIN
    SELECT RAISE(ABORT, 'ledger_transaction: append-only');
END;

CREATE TRIGGER ledger_transaction_is_never_deleted BEFORE DELETE ON ledger_transaction
BEGIN
    SELECT RAISE(ABORT, 'ledger_transaction: append-only');
END;

CREATE TRIGGER leg_is_never_changed BEFORE UPDATE ON leg
BEGIN
    SELECT RAISE(ABORT, 'leg: append-only');
END;

CREATE TRIGGER leg_is_never_deleted BEFORE DELETE ON leg
BEGIN
    SELECT RAISE(ABORT, 'leg: append-only');
END;

CREATE TRIGGER lot_movement_is_never_changed BEFORE UPDATE ON lot_movement
BEGIN
    SELECT RAISE(ABORT, 'lot_movement: append-only');
END;

CREATE TRIGGER lot_movement_is_never_deleted BEFORE DELETE ON lot_movement
BEGIN
    SELECT RAISE(ABORT, 'lot_movement: append-only');
END;

CREATE TRIGGER hold_pin_is_never_changed BEFORE UPDATE ON hold_pin
BEGIN
    SELECT RAISE(ABORT, 'hold_pin: append-only');
END;

CREATE TRIGGER hold_pin_is_never_deleted BEFORE DELETE ON hold_pin
BEGIN
    SELECT RAISE(ABORT, 'hold_pin: append-only');
END;

CREATE TRIGGER hold_is_never_deleted BEFORE DELETE ON hold
BEGIN
    SELECT RAISE(ABORT, 'hold: resolved, never deleted');
END;

CREATE TRIGGER lot_is_never_deleted BEFORE DELETE ON lot
BEGIN
    SELECT RAISE(ABORT, 'lot: spent or expired, never deleted');
END;

CREATE TRIGGER lot_keeps_its_origin
BEFORE UPDATE OF id, account, transaction_id, n, source, expires_at, amount ON lot
BEGIN
    SELECT RAISE(ABORT, 'lot: where it came from never changes');
END;

-- `INSERT OR REPLACE` deletes what is in its way without the triggers above. A lot is written over,
-- but keeps its origin.
CREATE TRIGGER ledger_account_is_never_replaced BEFORE INSERT ON ledger_account
WHEN EXISTS (SELECT 1 FROM ledger_account WHERE id = NEW.id)
  OR EXISTS (SELECT 1 FROM ledger_account
        WHERE asset = NEW.asset AND owner_kind = NEW.owner_kind AND owner = NEW.owner AND place = NEW.place)
BEGIN
    SELECT RAISE(ABORT, 'ledger_account: never replaced');
END;

CREATE TRIGGER ledger_transaction_is_never_replaced BEFORE INSERT ON ledger_transaction
WHEN EXISTS (SELECT 1 FROM ledger_transaction WHERE id = NEW.id)
  OR (NEW.number > 0 AND EXISTS (SELECT 1 FROM ledger_transaction WHERE number = NEW.number))
  OR (NEW.hold IS NOT NULL AND NEW.outcome = 'applied' AND EXISTS (
        SELECT 1 FROM ledger_transaction WHERE hold = NEW.hold AND outcome = 'applied' AND hold IS NOT NULL))
  OR (NEW.lot IS NOT NULL AND EXISTS (SELECT 1 FROM ledger_transaction WHERE lot = NEW.lot AND lot IS NOT NULL))
  OR (NEW.reverses IS NOT NULL AND NEW.outcome = 'applied' AND EXISTS (
        SELECT 1 FROM ledger_transaction
        WHERE reverses = NEW.reverses AND outcome = 'applied' AND reverses IS NOT NULL))
BEGIN
    SELECT RAISE(ABORT, 'ledger_transaction: append-only');
END;

CREATE TRIGGER leg_is_never_replaced BEFORE INSERT ON leg
WHEN EXISTS (SELECT 1 FROM leg WHERE transaction_id = NEW.transaction_id AND n = NEW.n)
  OR (NEW.from_version IS NOT NULL
    AND EXISTS (SELECT 1 FROM leg WHERE from_account = NEW.from_account AND from_version = NEW.from_version))
  OR (NEW.to_version IS NOT NULL
    AND EXISTS (SELECT 1 FROM leg WHERE to_account = NEW.to_account AND to_version = NEW.to_version))
BEGIN
    SELECT RAISE(ABORT, 'leg: append-only');
END;

-- Nothing is undone twice: by a take-back that stands and by a reversal.
CREATE TRIGGER what_is_taken_back_is_not_reversed BEFORE INSERT ON ledger_transaction
WHEN NEW.reverses IS NOT NULL AND NEW.outcome = 'applied' AND EXISTS (
    SELECT 1 FROM leg AS l
    WHERE l.takes_back = NEW.reverses AND l.takes_back IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM ledger_transaction AS r
        WHERE r.reverses = l.transaction_id AND r.outcome = 'applied' AND r.reverses IS NOT NULL))
BEGIN
    SELECT RAISE(ABORT, 'ledger_transaction: reverses what was taken back');
END;

CREATE TRIGGER what_is_reversed_is_not_taken_back BEFORE INSERT ON leg
WHEN NEW.takes_back IS NOT NULL
  AND EXISTS (
    SELECT 1 FROM ledger_transaction
    WHERE reverses = NEW.takes_back AND outcome = 'applied' AND reverses IS NOT NULL)
  AND NOT EXISTS (
    SELECT 1 FROM ledger_transaction
    WHERE reverses = NEW.transaction_id AND outcome = 'applied' AND reverses IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'leg: takes back what was reversed');
END;

CREATE TRIGGER hold_is_never_replaced BEFORE INSERT ON hold
WHEN EXISTS (SELECT 1 FROM hold WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'hold: resolved once, otherwise never changed');
END;

CREATE TRIGGER lot_is_never_replaced BEFORE INSERT ON lot
WHEN EXISTS (SELECT 1 FROM lot
        WHERE id = NEW.id AND (account, transaction_id, n, source, expires_at, amount)
            IS NOT (NEW.account, NEW.transaction_id, NEW.n, NEW.source, NEW.expires_at, NEW.amount))
BEGIN
    SELECT RAISE(ABORT, 'lot: where it came from never changes');
END;

CREATE TRIGGER lot_movement_is_never_replaced BEFORE INSERT ON lot_movement
WHEN EXISTS (SELECT 1 FROM lot_movement WHERE number = NEW.number)
  OR EXISTS (SELECT 1 FROM lot_movement
        WHERE transaction_id = NEW.transaction_id AND n = NEW.n AND lot = NEW.lot)
BEGIN
    SELECT RAISE(ABORT, 'lot_movement: append-only');
END;

CREATE TRIGGER hold_pin_is_never_replaced BEFORE INSERT ON hold_pin
WHEN EXISTS (SELECT 1 FROM hold_pin WHERE hold = NEW.hold AND lot = NEW.lot)
BEGIN
    SELECT RAISE(ABORT, 'hold_pin: append-only');
END;
