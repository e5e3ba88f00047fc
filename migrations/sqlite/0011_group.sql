-- Groups: households, teams and club sections that own points together. Who left stays, with the
-- date: a member's row is never deleted. That a group keeps an owner, the code sees to.

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

CREATE TABLE group_invitation (
    -- Of the code, which is a secret.
    digest     BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
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

CREATE TRIGGER group_invitation_is_used_once BEFORE UPDATE ON group_invitation
WHEN OLD.used_by IS NOT NULL OR NEW.used_by IS NULL OR OLD.digest <> NEW.digest OR OLD.group_id <> NEW.group_id
  OR OLD.role <> NEW.role OR OLD.made_at <> NEW.made_at OR OLD.expires_at <> NEW.expires_at
BEGIN
    SELECT RAISE(ABORT, 'group_invitation: used once, otherwise never changed');
END;

CREATE TRIGGER group_invitation_is_never_deleted BEFORE DELETE ON group_invitation
BEGIN
    SELECT RAISE(ABORT, 'group_invitation: never deleted');
END;
