-- Keys that browsers made for a sign-in. What is signed under one counts as the person's own word while the sign-in lasts.
CREATE TABLE identity.session_key (
    key_id          BYTEA       NOT NULL,
    public_key      BYTEA       NOT NULL,
    organisation_id UUID        NOT NULL,
    person_id       UUID        NOT NULL,
    session_hash    BYTEA       NOT NULL,
    bound_at        TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    ended_at        TIMESTAMPTZ,

    CONSTRAINT session_key_pk PRIMARY KEY (key_id),
    CONSTRAINT session_key_of_person FOREIGN KEY (organisation_id, person_id)
        REFERENCES identity.person (organisation_id, person_id),
    CONSTRAINT session_key_is_ed25519 CHECK (octet_length(public_key) = 32 AND octet_length(key_id) = 32),
    CONSTRAINT session_key_session_is_sha256 CHECK (octet_length(session_hash) = 32),
    CONSTRAINT session_key_ends CHECK (expires_at > bound_at)
);
COMMENT ON COLUMN identity.session_key.session_hash IS
    'The sign-in that it belongs to. Kept after that is gone: no foreign key.';
CREATE INDEX session_key_of_session ON identity.session_key (session_hash) WHERE ended_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON identity.session_key TO nooterra_app;
