-- Passkeys: keys of people that an authenticator keeps. They sign people in, and bind what lets them steer.
ALTER TABLE identity.person_key
    DROP CONSTRAINT person_key_is_ed25519,
    DROP CONSTRAINT person_key_tier_known,
    ADD CONSTRAINT person_key_tier_known CHECK (tier IN ('browser', 'passkey')),
    ADD CONSTRAINT person_key_fits_its_tier CHECK (
        octet_length(key_id) = 32
        AND octet_length(public_key) = CASE tier WHEN 'passkey' THEN 33 ELSE 32 END);

CREATE TABLE identity.passkey (
    key_id        BYTEA       NOT NULL,
    credential_id BYTEA       NOT NULL,
    name          TEXT        NOT NULL,
    relying_party TEXT        NOT NULL,
    origin        TEXT        NOT NULL,
    credential    JSONB       NOT NULL,
    used_at       TIMESTAMPTZ,

    CONSTRAINT passkey_pk PRIMARY KEY (key_id),
    CONSTRAINT passkey_is_persons_key FOREIGN KEY (key_id) REFERENCES identity.person_key,
    CONSTRAINT passkey_credential_once UNIQUE (credential_id),
    CONSTRAINT passkey_credential_bounded CHECK (octet_length(credential_id) BETWEEN 1 AND 1023),
    CONSTRAINT passkey_site_bounded CHECK (length(relying_party) BETWEEN 1 AND 253 AND length(origin) BETWEEN 1 AND 267)
);
COMMENT ON COLUMN identity.passkey.credential IS
    'As the library that checks sign-ins keeps it: the public key again, the authenticator''s counter, what it said of itself.';
COMMENT ON COLUMN identity.passkey.relying_party IS 'The host that it was made for: elsewhere its authenticator does not give it.';
GRANT SELECT, INSERT ON identity.passkey TO nooterra_app;
GRANT UPDATE (credential, used_at) ON identity.passkey TO nooterra_app;

CREATE TABLE identity.passkey_challenge (
    challenge_id UUID        NOT NULL,
    session_hash BYTEA,
    state        JSONB       NOT NULL,
    expires_at   TIMESTAMPTZ NOT NULL,

    CONSTRAINT passkey_challenge_pk PRIMARY KEY (challenge_id),
    CONSTRAINT passkey_challenge_of_session CHECK (octet_length(session_hash) = 32)
);
CREATE INDEX passkey_challenge_by_end ON identity.passkey_challenge (expires_at);
COMMENT ON COLUMN identity.passkey_challenge.session_hash IS 'The sign-in that a passkey is to be added to; none where one is to sign somebody in.';
GRANT SELECT, INSERT, DELETE ON identity.passkey_challenge TO nooterra_app;

-- When somebody last showed who they are, and by which passkey: what matters most asks for that to be fresh.
ALTER TABLE identity.session ADD COLUMN proven_at TIMESTAMPTZ, ADD COLUMN passkey BYTEA;
UPDATE identity.session SET proven_at = opened_at;
ALTER TABLE identity.session
    ALTER COLUMN proven_at SET NOT NULL,
    ADD CONSTRAINT session_passkey_is_persons_key FOREIGN KEY (passkey) REFERENCES identity.person_key;
CREATE INDEX session_by_passkey ON identity.session (passkey) WHERE passkey IS NOT NULL;
