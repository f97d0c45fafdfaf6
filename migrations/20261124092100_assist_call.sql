-- Robots' calls for a person's help: one row per call, derived from the events of the job's stream.
CREATE TABLE assist.call (
    assist_id       UUID        NOT NULL,
    organisation_id UUID        NOT NULL,
    site_id         UUID        NOT NULL,
    job_id          UUID        NOT NULL,
    robot_id        UUID        NOT NULL,
    caller          TEXT        NOT NULL,
    reason          TEXT        NOT NULL,
    words           TEXT        NOT NULL,
    options         TEXT[]      NOT NULL,
    camera          TEXT        NOT NULL,
    phase           TEXT        NOT NULL,
    requested_at    TIMESTAMPTZ NOT NULL,
    escalate_at     TIMESTAMPTZ NOT NULL,
    expire_at       TIMESTAMPTZ NOT NULL,
    offered_to      UUID[]      NOT NULL,
    operator_id     UUID,
    claimed_at      TIMESTAMPTZ,
    option          INTEGER,
    ended_at        TIMESTAMPTZ,
    due_at          TIMESTAMPTZ,
    version         BIGINT      NOT NULL,

    CONSTRAINT call_pk PRIMARY KEY (assist_id),
    CONSTRAINT call_caller_known CHECK (caller IN ('robot', 'cloud')),
    CONSTRAINT call_reason_known CHECK (reason IN ('unsure', 'blocked', 'stalled', 'asked')),
    CONSTRAINT call_words_bounded CHECK (char_length(words) BETWEEN 1 AND 2000),
    CONSTRAINT call_camera_bounded CHECK (char_length(camera) BETWEEN 1 AND 64),
    CONSTRAINT call_options_bounded CHECK (cardinality(options) <= 9),
    CONSTRAINT call_phase_known
        CHECK (phase IN ('opened', 'offered', 'escalated', 'claimed', 'active', 'resolved', 'given_up', 'expired')),
    CONSTRAINT call_clocks_in_order CHECK (requested_at < escalate_at AND escalate_at < expire_at),
    CONSTRAINT call_offered_to_bounded CHECK (cardinality(offered_to) <= 64),
    CONSTRAINT call_operator_by_phase
        CHECK (phase IN ('resolved', 'expired')
               OR (operator_id IS NOT NULL) = (phase IN ('claimed', 'active', 'given_up'))),
    CONSTRAINT call_claimed_with_operator CHECK ((claimed_at IS NULL) = (operator_id IS NULL)),
    CONSTRAINT call_option_in_the_question CHECK (option BETWEEN 0 AND cardinality(options) - 1),
    CONSTRAINT call_option_by_phase
        CHECK (option IS NULL OR (operator_id IS NOT NULL AND phase <> 'claimed')),
    CONSTRAINT call_ended_iff_over CHECK ((ended_at IS NOT NULL) = (phase IN ('resolved', 'given_up', 'expired'))),
    CONSTRAINT call_due_iff_somebody_must_act
        CHECK ((due_at IS NOT NULL) = (phase IN ('opened', 'offered', 'escalated', 'claimed'))),
    CONSTRAINT call_version_from_one CHECK (version >= 1)
);

COMMENT ON COLUMN assist.call.due_at IS
    'When the cloud must act if nobody did: ring wider, ring again, or end the call. Claimed with SKIP LOCKED.';
COMMENT ON COLUMN assist.call.version IS
    'Count of events applied. Writers compare and bump it: optimistic locking.';

-- A robot asks one thing at a time.
CREATE UNIQUE INDEX call_one_open_per_job ON assist.call (job_id) WHERE ended_at IS NULL;
CREATE INDEX call_of_job ON assist.call (job_id, requested_at DESC, assist_id DESC);
CREATE INDEX call_open ON assist.call (organisation_id, requested_at, assist_id) WHERE ended_at IS NULL;
CREATE INDEX call_due ON assist.call (due_at) WHERE due_at IS NOT NULL;
GRANT SELECT, INSERT ON assist.call TO nooterra_app;
-- What was asked is written once.
GRANT UPDATE (phase, escalate_at, expire_at, offered_to, operator_id, claimed_at, option, ended_at, due_at, version)
    ON assist.call TO nooterra_app;
