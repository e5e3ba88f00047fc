-- Groups: households, teams and club sections that own points together. Who left stays, with the
-- date: a member's row is never deleted. That a group keeps an owner, the code sees to. Whatever
-- happens to a group stands in its journal, with who asked and why.

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

-- The journal: a line for every command that was applied. What is in `group_member` is what its lines
-- add up to.
CREATE TABLE group_change (
    -- In the order in which they were applied, as far as one group goes.
    number      bigint      GENERATED ALWAYS AS IDENTITY,
    -- The command's; a group and an invitation have the id of the command that made them.
    id          uuid        PRIMARY KEY,
    group_id    uuid        NOT NULL REFERENCES ledger_group,
    kind        text COLLATE "C" NOT NULL CHECK (kind IN
        ('created', 'joined', 'role_changed', 'left', 'invited', 'unchanged')),
    -- Of what was asked, and of who asked.
    digest      bytea       NOT NULL CHECK (length(digest) = 16),
    -- Whom it is about; none: nobody yet.
    person      uuid,
    -- The role that they have after it, or had when they left; that of an invitation.
    role        text COLLATE "C" CHECK (role IN ('owner', 'spender', 'viewer')),
    -- The command that made the invitation which was accepted.
    invitation  uuid        REFERENCES group_change,
    happened_at timestamptz NOT NULL,
    -- None: the system.
    actor       uuid,
    reason      text        CHECK (reason <> ''),
    CHECK ((role IS NULL) = (person IS NULL AND kind <> 'invited')),
    CHECK (kind <> 'invited' OR person IS NULL),
    CHECK (kind IN ('created', 'invited') OR person IS NOT NULL),
    CHECK (kind IN ('joined', 'role_changed', 'unchanged') OR invitation IS NULL)
);

CREATE INDEX group_change_by_group ON group_change (group_id, number);
CREATE UNIQUE INDEX one_use_an_invitation ON group_change (invitation) WHERE kind IN ('joined', 'role_changed');

CREATE TABLE group_invitation (
    -- Of the code, which is a secret.
    digest     bytea       PRIMARY KEY CHECK (length(digest) = 32),
    id         uuid        NOT NULL UNIQUE REFERENCES group_change,
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
CREATE TRIGGER group_change_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON group_change
EXECUTE FUNCTION refuse('group_change: append-only');
CREATE TRIGGER group_invitation_is_never_deleted BEFORE DELETE OR TRUNCATE ON group_invitation
EXECUTE FUNCTION refuse('group_invitation: never deleted');

CREATE TRIGGER group_invitation_is_used_once BEFORE UPDATE ON group_invitation FOR EACH ROW
WHEN (OLD.used_by IS NOT NULL
    OR NEW.used_by IS NULL
    OR NEW.digest <> OLD.digest
    OR NEW.id <> OLD.id
    OR NEW.group_id <> OLD.group_id
    OR NEW.role <> OLD.role
    OR NEW.made_at <> OLD.made_at
    OR NEW.expires_at <> OLD.expires_at)
EXECUTE FUNCTION refuse('group_invitation: used once, otherwise never changed');
