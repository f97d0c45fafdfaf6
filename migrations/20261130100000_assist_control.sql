-- Who steers a robot: one row per robot that anybody ever steered, derived from the events of the robot's stream.
CREATE TABLE assist.control (
    robot_id        UUID        NOT NULL,
    organisation_id UUID        NOT NULL,
    site_id         UUID        NOT NULL,
    epoch           BIGINT      NOT NULL,
    holder_id       UUID,
    holder_key      BYTEA,
    held_since      TIMESTAMPTZ,
    held_until      TIMESTAMPTZ,
    asker_id        UUID,
    asker_key       BYTEA,
    asked_words     TEXT,
    asked_until     TIMESTAMPTZ,
    last_turn       TEXT,
    last_person_id  UUID,
    last_words      TEXT,
    last_at         TIMESTAMPTZ,
    version         BIGINT      NOT NULL,

    CONSTRAINT control_pk PRIMARY KEY (robot_id),
    CONSTRAINT control_epoch_from_zero CHECK (epoch >= 0),
    CONSTRAINT control_held_under_an_epoch CHECK (holder_id IS NULL OR epoch >= 1),
    CONSTRAINT control_holder_whole
        CHECK ((holder_id IS NULL) = (held_since IS NULL) AND (holder_id IS NULL) = (held_until IS NULL)
               AND (holder_key IS NULL OR holder_id IS NOT NULL)),
    CONSTRAINT control_holder_key_length CHECK (octet_length(holder_key) = 32),
    CONSTRAINT control_request_whole
        CHECK ((asker_id IS NULL) = (asked_words IS NULL) AND (asker_id IS NULL) = (asked_until IS NULL)
               AND (asker_key IS NULL OR asker_id IS NOT NULL)),
    CONSTRAINT control_asker_key_length CHECK (octet_length(asker_key) = 32),
    CONSTRAINT control_asked_words_bounded CHECK (char_length(asked_words) <= 280),
    CONSTRAINT control_only_a_held_robot_is_asked_for CHECK (asker_id IS NULL OR holder_id IS NOT NULL),
    CONSTRAINT control_last_whole
        CHECK ((last_turn IS NULL) = (last_person_id IS NULL) AND (last_turn IS NULL) = (last_words IS NULL)
               AND (last_turn IS NULL) = (last_at IS NULL)),
    CONSTRAINT control_last_turn_known
        CHECK (last_turn IN ('claimed', 'handed_over', 'taken_over', 'released', 'declined', 'absent', 'signed_out',
                             'right_lost')),
    CONSTRAINT control_last_words_bounded CHECK (char_length(last_words) <= 280),
    CONSTRAINT control_version_from_one CHECK (version >= 1)
);

COMMENT ON COLUMN assist.control.epoch IS
    'Fences commands: robots refuse what comes under a lower one. Never falls.';
COMMENT ON COLUMN assist.control.held_until IS
    'When the holder is gone if nothing is heard of them; renewed by presence, claimed with SKIP LOCKED.';
COMMENT ON COLUMN assist.control.version IS
    'Count of events applied. Writers compare and bump it: optimistic locking. Presence is no event and bumps nothing.';

CREATE INDEX control_held ON assist.control (held_until) WHERE holder_id IS NOT NULL;
CREATE INDEX control_of_holder ON assist.control (holder_id) WHERE holder_id IS NOT NULL;

-- Two people must never steer one robot: whatever a gateway makes of it, no epoch is given out twice.
CREATE FUNCTION assist.control_epoch_never_falls() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.epoch < OLD.epoch THEN
        RAISE EXCEPTION 'an epoch of control never falls';
    END IF;
    IF NEW.epoch = OLD.epoch AND NEW.holder_id IS NOT NULL
       AND (OLD.holder_id IS NULL OR NEW.holder_id <> OLD.holder_id OR NEW.holder_key IS DISTINCT FROM OLD.holder_key) THEN
        RAISE EXCEPTION 'an epoch of control has one holder';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER control_epoch_never_falls BEFORE UPDATE ON assist.control
    FOR EACH ROW EXECUTE FUNCTION assist.control_epoch_never_falls();

GRANT SELECT, INSERT ON assist.control TO nooterra_app;
GRANT UPDATE (epoch, holder_id, holder_key, held_since, held_until, asker_id, asker_key, asked_words, asked_until,
              last_turn, last_person_id, last_words, last_at, version)
    ON assist.control TO nooterra_app;

-- A command moves a robot only under an epoch.
ALTER TABLE assist.command ADD COLUMN epoch BIGINT;
ALTER TABLE assist.command ADD CONSTRAINT command_epoch_from_one CHECK (epoch >= 1);
