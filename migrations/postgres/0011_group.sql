-- Groups: households, teams and club sections that own points together. Who left stays, with the
-- date: a member's row is never deleted. That a group keeps an owner, the code sees to.

CREATE TABLE ledger_group (
    id         uuid        PRIMARY KEY,
    -- As its owner wrote it; not unique.
    name       text COLLATE "C" NOT NULL CHECK (trim(name) <> ''),
    created_at timestamptz NOT NULL
);

-- A person need not be registered: their id is that of their address.
CREATE TABLE group_member (
    group_id  uuid        NOT NULL REFERENCES ledger_group,
    person    uuid        NOT NULL,
    role      text COLLATE "C" NOT NULL CHECK (role IN ('owner', 'spender', 'viewer')),
    joined_at timestamptz NOT NULL,
    -- None: still a member.
    left_at   timestamptz,
    PRIMARY KEY (group_id, person),
    CHECK (left_at >= joined_at)
);

CREATE INDEX group_member_by_person ON group_member (person) WHERE left_at IS NULL;

CREATE TABLE group_invitation (
    -- Of the code, which is a secret.
    digest     bytea       PRIMARY KEY CHECK (length(digest) = 32),
    group_id   uuid        NOT NULL REFERENCES ledger_group,
    role       text COLLATE "C" NOT NULL CHECK (role IN ('owner', 'spender', 'viewer')),
    made_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    -- An invitation is for one person.
    used_by    uuid,
    used_at    timestamptz,
    CHECK (expires_at > made_at),
    CHECK ((used_by IS NULL) = (used_at IS NULL))
);

CREATE TRIGGER ledger_group_is_never_deleted BEFORE DELETE OR TRUNCATE ON ledger_group
EXECUTE FUNCTION refuse('ledger_group: never deleted');
CREATE TRIGGER group_member_is_never_deleted BEFORE DELETE OR TRUNCATE ON group_member
EXECUTE FUNCTION refuse('group_member: a member leaves, they are never deleted');
CREATE TRIGGER group_invitation_is_never_deleted BEFORE DELETE OR TRUNCATE ON group_invitation
EXECUTE FUNCTION refuse('group_invitation: never deleted');

CREATE TRIGGER group_invitation_is_used_once BEFORE UPDATE ON group_invitation FOR EACH ROW
WHEN (OLD.used_by IS NOT NULL
    OR NEW.used_by IS NULL
    OR NEW.digest <> OLD.digest
    OR NEW.group_id <> OLD.group_id
    OR NEW.role <> OLD.role
    OR NEW.made_at <> OLD.made_at
    OR NEW.expires_at <> OLD.expires_at)
EXECUTE FUNCTION refuse('group_invitation: used once, otherwise never changed');
