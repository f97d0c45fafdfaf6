-- The append-only log of events. Nothing in it changes after commit: the privileges say so, and the triggers say it to the owner too.
CREATE SCHEMA spine;
GRANT USAGE ON SCHEMA spine TO nooterra_app;

CREATE TABLE spine.event (
    sequence        BIGINT      GENERATED ALWAYS AS IDENTITY,
    transaction_id  XID8        NOT NULL DEFAULT pg_current_xact_id(),
    organisation_id UUID        NOT NULL,
    site_id         UUID,
    stream          TEXT        NOT NULL,
    stream_number   BIGINT      NOT NULL,
    kind            TEXT        NOT NULL,
    actor_key       BYTEA       NOT NULL,
    actor_number    BIGINT,
    actor_hash      BYTEA       NOT NULL,
    recorded_at     TIMESTAMPTZ NOT NULL,
    entry           BYTEA       NOT NULL,
    entry_hash      BYTEA       NOT NULL,
    payload         JSONB       NOT NULL,

    CONSTRAINT event_pk PRIMARY KEY (sequence),
    CONSTRAINT event_once_in_stream UNIQUE (stream, stream_number),
    CONSTRAINT event_once_per_actor UNIQUE (actor_key, actor_number),
    CONSTRAINT event_stream_number_from_one CHECK (stream_number >= 1),
    CONSTRAINT event_actor_number_from_one CHECK (actor_number >= 1),
    CONSTRAINT event_hashes_are_sha256
        CHECK (octet_length(actor_key) = 32 AND octet_length(actor_hash) = 32 AND octet_length(entry_hash) = 32)
);

COMMENT ON COLUMN spine.event.entry IS
    'COSE_Sign1 by the gateway around the actor''s own bytes. These bytes count; the other columns are read from them.';
COMMENT ON COLUMN spine.event.transaction_id IS
    'Followers read only below the oldest transaction still running: sequence is given at insert, not at commit.';
COMMENT ON COLUMN spine.event.payload IS
    'For people and queries. Never what was signed.';

-- The order in which followers read.
CREATE INDEX event_position ON spine.event (transaction_id, sequence);
-- The same, inside one tenant.
CREATE INDEX event_position_in_organisation ON spine.event (organisation_id, transaction_id, sequence);

CREATE FUNCTION spine.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
BEGIN
    RAISE EXCEPTION 'events never change: % on %.% is refused', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER event_never_changes
    BEFORE UPDATE OR DELETE OR TRUNCATE ON spine.event
    FOR EACH STATEMENT EXECUTE FUNCTION spine.refuse_change();
-- Also when a session plays replica, where ordinary triggers stay silent.
ALTER TABLE spine.event ENABLE ALWAYS TRIGGER event_never_changes;

GRANT SELECT, INSERT ON spine.event TO nooterra_app;

CREATE TABLE spine.stream_head (
    stream          TEXT   NOT NULL,
    organisation_id UUID   NOT NULL,
    site_id         UUID,
    stream_number   BIGINT NOT NULL,
    entry_hash      BYTEA  NOT NULL,

    CONSTRAINT stream_head_pk PRIMARY KEY (stream),
    CONSTRAINT stream_head_number_from_zero CHECK (stream_number >= 0),
    CONSTRAINT stream_head_hash_is_sha256 CHECK (octet_length(entry_hash) = 32)
) WITH (fillfactor = 50);

COMMENT ON TABLE spine.stream_head IS
    'The latest entry of each stream. Locked while entries are appended; half-filled pages keep its updates off the index.';

GRANT SELECT, INSERT, UPDATE ON spine.stream_head TO nooterra_app;

CREATE TABLE spine.actor_head (
    actor_key       BYTEA  NOT NULL,
    organisation_id UUID   NOT NULL,
    site_id         UUID,
    actor_number    BIGINT NOT NULL,
    actor_hash      BYTEA  NOT NULL,

    CONSTRAINT actor_head_pk PRIMARY KEY (actor_key),
    CONSTRAINT actor_head_number_from_zero CHECK (actor_number >= 0),
    CONSTRAINT actor_head_hashes_are_sha256 CHECK (octet_length(actor_key) = 32 AND octet_length(actor_hash) = 32)
) WITH (fillfactor = 50);

COMMENT ON TABLE spine.actor_head IS
    'The latest event of each key that numbers its own. What comes next must follow it.';

GRANT SELECT, INSERT, UPDATE ON spine.actor_head TO nooterra_app;
