-- Who there is: organisations, their sites, people and robots, and the secrets that prove it. Secrets are kept as SHA-256 only.
CREATE SCHEMA identity;
GRANT USAGE ON SCHEMA identity TO nooterra_app;

CREATE TABLE identity.organisation (
    organisation_id UUID        NOT NULL,
    name            TEXT        NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,

    CONSTRAINT organisation_pk PRIMARY KEY (organisation_id),
    CONSTRAINT organisation_name_once UNIQUE (name),
    CONSTRAINT organisation_name_bounded CHECK (char_length(name) BETWEEN 1 AND 64)
);
GRANT SELECT, INSERT, UPDATE ON identity.organisation TO nooterra_app;

CREATE TABLE identity.site (
    site_id         UUID        NOT NULL,
    organisation_id UUID        NOT NULL,
    name            TEXT        NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,

    CONSTRAINT site_pk PRIMARY KEY (site_id),
    CONSTRAINT site_in_organisation UNIQUE (organisation_id, site_id),
    CONSTRAINT site_name_once UNIQUE (organisation_id, name),
    CONSTRAINT site_of_organisation FOREIGN KEY (organisation_id) REFERENCES identity.organisation,
    CONSTRAINT site_name_bounded CHECK (char_length(name) BETWEEN 1 AND 64)
);
GRANT SELECT, INSERT, UPDATE ON identity.site TO nooterra_app;

CREATE TABLE identity.person (
    person_id       UUID        NOT NULL,
    organisation_id UUID        NOT NULL,
    name            TEXT        NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,

    CONSTRAINT person_pk PRIMARY KEY (person_id),
    CONSTRAINT person_in_organisation UNIQUE (organisation_id, person_id),
    CONSTRAINT person_of_organisation FOREIGN KEY (organisation_id) REFERENCES identity.organisation,
    CONSTRAINT person_name_bounded CHECK (char_length(name) BETWEEN 1 AND 64)
);
CREATE INDEX person_by_name ON identity.person (organisation_id, name);
GRANT SELECT, INSERT, UPDATE ON identity.person TO nooterra_app;

-- A grant is for one site, or for the whole organisation when it names none.
CREATE TABLE identity.role_grant (
    organisation_id UUID        NOT NULL,
    site_id         UUID,
    person_id       UUID        NOT NULL,
    role            TEXT        NOT NULL,
    granted_at      TIMESTAMPTZ NOT NULL,

    CONSTRAINT role_grant_of_person FOREIGN KEY (organisation_id, person_id)
        REFERENCES identity.person (organisation_id, person_id),
    CONSTRAINT role_grant_at_site FOREIGN KEY (organisation_id, site_id)
        REFERENCES identity.site (organisation_id, site_id),
    CONSTRAINT role_grant_role_known CHECK (role IN ('operator', 'requester', 'owner', 'admin'))
);
-- Nulls count as different in a unique constraint, and "all sites" must stand only once.
CREATE UNIQUE INDEX role_grant_once_everywhere ON identity.role_grant (person_id, role) WHERE site_id IS NULL;
CREATE UNIQUE INDEX role_grant_once_per_site ON identity.role_grant (person_id, role, site_id) WHERE site_id IS NOT NULL;
GRANT SELECT, INSERT, DELETE ON identity.role_grant TO nooterra_app;

-- A person as every request needs them. Both arrays have the same order: each role and where it holds.
CREATE VIEW identity.person_with_roles AS
SELECT person.person_id,
       person.organisation_id,
       person.name,
       organisation.name AS organisation_name,
       ARRAY(SELECT role FROM identity.role_grant WHERE role_grant.person_id = person.person_id
             ORDER BY role, site_id NULLS FIRST) AS roles,
       ARRAY(SELECT site_id FROM identity.role_grant WHERE role_grant.person_id = person.person_id
             ORDER BY role, site_id NULLS FIRST) AS role_sites
FROM identity.person
JOIN identity.organisation USING (organisation_id);
GRANT SELECT ON identity.person_with_roles TO nooterra_app;

CREATE TABLE identity.sign_in_link (
    link_hash       BYTEA       NOT NULL,
    organisation_id UUID        NOT NULL,
    person_id       UUID        NOT NULL,
    issued_at       TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    uses_left       INTEGER,

    CONSTRAINT sign_in_link_pk PRIMARY KEY (link_hash),
    CONSTRAINT sign_in_link_of_person FOREIGN KEY (organisation_id, person_id)
        REFERENCES identity.person (organisation_id, person_id),
    CONSTRAINT sign_in_link_hash_is_sha256 CHECK (octet_length(link_hash) = 32),
    CONSTRAINT sign_in_link_ends CHECK (expires_at > issued_at),
    CONSTRAINT sign_in_link_uses_not_negative CHECK (uses_left >= 0)
);
COMMENT ON COLUMN identity.sign_in_link.uses_left IS 'Null for a link that may be used until it expires.';
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.sign_in_link TO nooterra_app;

CREATE TABLE identity.session (
    session_hash    BYTEA       NOT NULL,
    organisation_id UUID        NOT NULL,
    person_id       UUID        NOT NULL,
    opened_at       TIMESTAMPTZ NOT NULL,
    seen_at         TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,

    CONSTRAINT session_pk PRIMARY KEY (session_hash),
    CONSTRAINT session_of_person FOREIGN KEY (organisation_id, person_id)
        REFERENCES identity.person (organisation_id, person_id),
    CONSTRAINT session_hash_is_sha256 CHECK (octet_length(session_hash) = 32),
    CONSTRAINT session_ends CHECK (expires_at > opened_at)
);
CREATE INDEX session_of_person_index ON identity.session (person_id);
CREATE INDEX session_by_end ON identity.session (expires_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.session TO nooterra_app;

CREATE TABLE identity.api_token (
    token_id        UUID        NOT NULL,
    token_hash      BYTEA       NOT NULL,
    organisation_id UUID        NOT NULL,
    person_id       UUID        NOT NULL,
    issued_at       TIMESTAMPTZ NOT NULL,
    used_at         TIMESTAMPTZ,
    revoked_at      TIMESTAMPTZ,

    CONSTRAINT api_token_pk PRIMARY KEY (token_id),
    CONSTRAINT api_token_hash_once UNIQUE (token_hash),
    CONSTRAINT api_token_of_person FOREIGN KEY (organisation_id, person_id)
        REFERENCES identity.person (organisation_id, person_id),
    CONSTRAINT api_token_hash_is_sha256 CHECK (octet_length(token_hash) = 32)
);
CREATE INDEX api_token_of_person_index ON identity.api_token (person_id, issued_at);
GRANT SELECT, INSERT, UPDATE ON identity.api_token TO nooterra_app;

CREATE TABLE identity.robot (
    robot_id        UUID        NOT NULL,
    organisation_id UUID        NOT NULL,
    site_id         UUID        NOT NULL,
    name            TEXT        NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    public_key      BYTEA,
    key_id          BYTEA,
    key_bound_at    TIMESTAMPTZ,
    seen_at         TIMESTAMPTZ,

    CONSTRAINT robot_pk PRIMARY KEY (robot_id),
    CONSTRAINT robot_in_organisation UNIQUE (organisation_id, robot_id),
    CONSTRAINT robot_name_once UNIQUE (organisation_id, name),
    CONSTRAINT robot_key_once UNIQUE (key_id),
    CONSTRAINT robot_at_site FOREIGN KEY (organisation_id, site_id)
        REFERENCES identity.site (organisation_id, site_id),
    CONSTRAINT robot_name_bounded CHECK (char_length(name) BETWEEN 1 AND 64),
    CONSTRAINT robot_key_is_ed25519 CHECK (octet_length(public_key) = 32 AND octet_length(key_id) = 32),
    CONSTRAINT robot_key_whole_or_absent
        CHECK ((public_key IS NULL) = (key_id IS NULL) AND (public_key IS NULL) = (key_bound_at IS NULL))
);
CREATE INDEX robot_at_site_index ON identity.robot (site_id);
GRANT SELECT, INSERT, UPDATE ON identity.robot TO nooterra_app;

CREATE TABLE identity.robot_token (
    token_id        UUID        NOT NULL,
    token_hash      BYTEA       NOT NULL,
    organisation_id UUID        NOT NULL,
    site_id         UUID        NOT NULL,
    robot_id        UUID        NOT NULL,
    issued_at       TIMESTAMPTZ NOT NULL,
    used_at         TIMESTAMPTZ,
    revoked_at      TIMESTAMPTZ,

    CONSTRAINT robot_token_pk PRIMARY KEY (token_id),
    CONSTRAINT robot_token_hash_once UNIQUE (token_hash),
    CONSTRAINT robot_token_of_robot FOREIGN KEY (organisation_id, robot_id)
        REFERENCES identity.robot (organisation_id, robot_id),
    CONSTRAINT robot_token_at_site FOREIGN KEY (organisation_id, site_id)
        REFERENCES identity.site (organisation_id, site_id),
    CONSTRAINT robot_token_hash_is_sha256 CHECK (octet_length(token_hash) = 32)
);
CREATE INDEX robot_token_of_robot_index ON identity.robot_token (robot_id, issued_at);
GRANT SELECT, INSERT, UPDATE ON identity.robot_token TO nooterra_app;
