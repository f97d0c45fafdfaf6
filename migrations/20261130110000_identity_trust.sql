-- Who may steer an organisation's robots: its root key, people's keys, the rosters that the root signed, what is believed no more.
CREATE TABLE identity.organisation_root (
    organisation_id UUID        NOT NULL,
    public_key      BYTEA       NOT NULL,
    named_at        TIMESTAMPTZ NOT NULL,

    CONSTRAINT organisation_root_pk PRIMARY KEY (organisation_id),
    CONSTRAINT organisation_root_of_organisation FOREIGN KEY (organisation_id) REFERENCES identity.organisation,
    CONSTRAINT organisation_root_is_ed25519 CHECK (octet_length(public_key) = 32)
);
COMMENT ON TABLE identity.organisation_root IS
    'The public half. The other one is made and kept away from every gateway.';
GRANT SELECT, INSERT ON identity.organisation_root TO nooterra_app;

CREATE TABLE identity.person_key (
    key_id          BYTEA       NOT NULL,
    public_key      BYTEA       NOT NULL,
    organisation_id UUID        NOT NULL,
    person_id       UUID        NOT NULL,
    tier            TEXT        NOT NULL,
    offered_at      TIMESTAMPTZ NOT NULL,
    removed_at      TIMESTAMPTZ,

    CONSTRAINT person_key_pk PRIMARY KEY (key_id),
    CONSTRAINT person_key_of_person FOREIGN KEY (organisation_id, person_id)
        REFERENCES identity.person (organisation_id, person_id),
    CONSTRAINT person_key_is_ed25519 CHECK (octet_length(public_key) = 32 AND octet_length(key_id) = 32),
    CONSTRAINT person_key_tier_known CHECK (tier IN ('browser'))
);
CREATE INDEX person_key_of_person_index ON identity.person_key (person_id, offered_at);
CREATE INDEX person_key_removed ON identity.person_key (organisation_id, removed_at) WHERE removed_at IS NOT NULL;

-- Whoever found a lost laptop must not get its key believed again.
CREATE FUNCTION identity.person_key_stays_removed() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.removed_at IS NOT NULL AND NEW.removed_at IS DISTINCT FROM OLD.removed_at THEN
        RAISE EXCEPTION 'a key that was removed stays removed';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER person_key_stays_removed BEFORE UPDATE ON identity.person_key
    FOR EACH ROW EXECUTE FUNCTION identity.person_key_stays_removed();

GRANT SELECT, INSERT ON identity.person_key TO nooterra_app;
GRANT UPDATE (removed_at) ON identity.person_key TO nooterra_app;

CREATE TABLE identity.roster (
    organisation_id UUID        NOT NULL,
    number          BIGINT      NOT NULL,
    sealed          BYTEA       NOT NULL,
    sha256          BYTEA       NOT NULL,
    issued_at       TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    published_at    TIMESTAMPTZ NOT NULL,

    CONSTRAINT roster_pk PRIMARY KEY (organisation_id, number),
    CONSTRAINT roster_under_a_root FOREIGN KEY (organisation_id) REFERENCES identity.organisation_root,
    CONSTRAINT roster_number_from_one CHECK (number >= 1),
    CONSTRAINT roster_sealed_bounded CHECK (octet_length(sealed) BETWEEN 1 AND 92160),
    CONSTRAINT roster_hash_is_sha256 CHECK (octet_length(sha256) = 32),
    CONSTRAINT roster_ends CHECK (expires_at > issued_at)
);
COMMENT ON COLUMN identity.roster.sealed IS 'As the root key signed it. Robots check that signature themselves.';
GRANT SELECT, INSERT ON identity.roster TO nooterra_app;

CREATE TABLE identity.revocations (
    organisation_id UUID        NOT NULL,
    number          BIGINT      NOT NULL,
    sealed          BYTEA       NOT NULL,
    sha256          BYTEA       NOT NULL,
    issued_at       TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,

    CONSTRAINT revocations_pk PRIMARY KEY (organisation_id, number),
    CONSTRAINT revocations_of_organisation FOREIGN KEY (organisation_id) REFERENCES identity.organisation,
    CONSTRAINT revocations_number_from_one CHECK (number >= 1),
    CONSTRAINT revocations_sealed_bounded CHECK (octet_length(sealed) BETWEEN 1 AND 92160),
    CONSTRAINT revocations_hash_is_sha256 CHECK (octet_length(sha256) = 32),
    CONSTRAINT revocations_end CHECK (expires_at > issued_at)
);
COMMENT ON COLUMN identity.revocations.sealed IS 'As a policy key of the roster signed it.';
GRANT SELECT, INSERT ON identity.revocations TO nooterra_app;
