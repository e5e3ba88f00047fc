-- Groups: households, teams and club sections that own points together. Who left stays, with the
-- date: a member's row is never deleted. That a group keeps an owner, the code sees to. Whatever
-- happens to a group stands in its journal, with who asked and why.

CREATE TABLE ledger_group (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    -- As its owner wrote it; not unique.
    name       TEXT    NOT NULL CHECK (trim(name) <> ''),
    created_at INTEGER NOT NULL
) STRICT;

-- A person need not be registered: their id is that of their address.
CREATE TABLE group_member (
    group_id  BLOB    NOT NULL REFERENCES ledger_group (id),
    person    BLOB    NOT NULL CHECK (length(person) = 16),
    role      TEXT    NOT NULL CHECK (role IN ('owner', 'spender', 'viewer')),
    joined_at INTEGER NOT NULL,
    -- None: still a member.
    left_at   INTEGER,
    PRIMARY KEY (group_id, person),
    CHECK (left_at >= joined_at)
) STRICT;

CREATE INDEX group_member_by_person ON group_member (person) WHERE left_at IS NULL;

-- The journal: a line for every command that was applied. What is in `group_member` is what its lines
-- add up to.
CREATE TABLE group_change (
    -- In the order in which they were applied, as far as one group goes.
    number      INTEGER PRIMARY KEY,
    -- The command's; a group and an invitation have the id of the command that made them.
    id          BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    group_id    BLOB    NOT NULL REFERENCES ledger_group (id),
    kind        TEXT    NOT NULL CHECK (kind IN
        ('created', 'joined', 'role_changed', 'left', 'invited', 'unchanged')),
    -- Of what was asked, and of who asked.
    digest      BLOB    NOT NULL CHECK (length(digest) = 16),
    -- Whom it is about; none: nobody yet.
    person      BLOB    CHECK (length(person) = 16),
    -- The role that they have after it, or had when they left; that of an invitation.
    role        TEXT    CHECK (role IN ('owner', 'spender', 'viewer')),
    -- The command that made the invitation which was accepted.
    invitation  BLOB    REFERENCES group_change (id),
    happened_at INTEGER NOT NULL,
    -- None: the system.
    actor       BLOB    CHECK (length(actor) = 16),
    reason      TEXT    CHECK (reason <> ''),
    CHECK ((role IS NULL) = (person IS NULL AND kind <> 'invited')),
    CHECK (kind <> 'invited' OR person IS NULL),
    CHECK (kind IN ('created', 'invited') OR person IS NOT NULL),
    CHECK (kind IN ('joined', 'role_changed', 'unchanged') OR invitation IS NULL)
) STRICT;

CREATE INDEX group_change_by_group ON group_change (group_id, number);
CREATE UNIQUE INDEX one_use_an_invitation ON group_change (invitation) WHERE kind IN ('joined', 'role_changed');

CREATE TABLE group_invitation (
    -- Of the code, which is a secret.
    digest     BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    id         BLOB    NOT NULL UNIQUE REFERENCES group_change (id),
    group_id   BLOB    NOT NULL REFERENCES ledger_group (id),
    role       TEXT    NOT NULL CHECK (role IN ('owner', 'spender', 'viewer')),
    made_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- An invitation is for one person.
    used_by    BLOB    CHECK (length(used_by) = 16),
    used_at    INTEGER,
    CHECK (expires_at > made_at),
    CHECK ((used_by IS NULL) = (used_at IS NULL))
) STRICT;

CREATE TRIGGER ledger_group_is_never_deleted BEFORE DELETE ON ledger_group
BEGIN
    SELECT RAISE(ABORT, 'ledger_group: never deleted');
END;

CREATE TRIGGER group_member_is_never_deleted BEFORE DELETE ON group_member
BEGIN
    SELECT RAISE(ABORT, 'group_member: a member leaves, they are never deleted');
END;

CREATE TRIGGER group_change_is_never_changed BEFORE UPDATE ON group_change
BEGIN
    SELECT RAISE(ABORT, 'group_change: append-only');
END;

CREATE TRIGGER group_change_is_never_deleted BEFORE DELETE ON group_change
BEGIN
    SELECT RAISE(ABORT, 'group_change: append-only');
END;

-- `INSERT OR REPLACE` deletes what is in its way without the triggers above.
CREATE TRIGGER group_change_is_never_replaced BEFORE INSERT ON group_change
WHEN EXISTS (SELECT 1 FROM group_change WHERE id = NEW.id)
  OR (NEW.number > 0 AND EXISTS (SELECT 1 FROM group_change WHERE number = NEW.number))
  OR (NEW.kind IN ('joined', 'role_changed') AND EXISTS (
        SELECT 1 FROM group_change WHERE invitation = NEW.invitation AND kind IN ('joined', 'role_changed')))
BEGIN
    SELECT RAISE(ABORT, 'group_change: append-only');
END;

CREATE TRIGGER group_invitation_is_used_once BEFORE UPDATE ON group_invitation
WHEN OLD.used_by IS NOT NULL OR NEW.used_by IS NULL OR OLD.digest <> NEW.digest OR OLD.id <> NEW.id
  OR OLD.group_id <> NEW.group_id OR OLD.role <> NEW.role OR OLD.made_at <> NEW.made_at
  OR OLD.expires_at <> NEW.expires_at
BEGIN
    SELECT RAISE(ABORT, 'group_invitation: used once, otherwise never changed');
END;

CREATE TRIGGER group_invitation_is_never_deleted BEFORE DELETE ON group_invitation
BEGIN
    SELECT RAISE(ABORT, 'group_invitation: never deleted');
END;
