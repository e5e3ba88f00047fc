-- People, the addresses by which they are matched, and what the last writer said of them. Rows
-- refer to each other by number, not by id: ids and provider keys are spread over the whole index,
-- and every index of spread keys costs a batch as many pages as it has rows.

CREATE TABLE person (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id     uuid   NOT NULL UNIQUE,
    -- What registered this person.
    fact   bigint NOT NULL UNIQUE REFERENCES processed (id)
);

CREATE TABLE person_email (
    -- Normalised: trimmed, ASCII letters in lower case (which is what "C" calls lower).
    email    text COLLATE "C" PRIMARY KEY CHECK (email = lower(trim(email)) AND strpos(email, '@') > 0),
    person   bigint NOT NULL REFERENCES person (number),
    -- 0 is the address that made the person's id.
    position bigint NOT NULL CHECK (position >= 0),
    UNIQUE (person, position)
);

CREATE TABLE person_detail (
    person  bigint NOT NULL REFERENCES person (number),
    field   text COLLATE "C" NOT NULL CHECK (field IN ('name', 'address', 'category')),
    value   text COLLATE "C" NOT NULL,
    -- The greater (said_at, said_by, value) stands, whichever arrived first.
    said_at timestamptz NOT NULL,
    said_by text COLLATE "C" NOT NULL CHECK (said_by <> ''),
    PRIMARY KEY (person, field)
);

CREATE TRIGGER person_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON person
EXECUTE FUNCTION refuse('person: a registration is never changed');
