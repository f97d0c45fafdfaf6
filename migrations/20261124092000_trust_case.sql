-- Complaints: one row per case, derived from the events of the case's stream, and, apart from it, what people wrote and
-- photographed. The log holds salted hashes of those only: a row can be deleted and the log still proves what it said.
CREATE SCHEMA trust;
GRANT USAGE ON SCHEMA trust TO nooterra_app;

-- "case" is a word of SQL.
CREATE TABLE trust.case_file (
    case_id          UUID        NOT NULL,
    number           BIGINT      GENERATED ALWAYS AS IDENTITY,
    organisation_id  UUID        NOT NULL,
    site_id          UUID        NOT NULL,
    job_id           UUID        NOT NULL,
    requester_id     UUID        NOT NULL,
    about            TEXT        NOT NULL,
    severity         SMALLINT    NOT NULL,
    words_hash       BYTEA       NOT NULL,
    pictures         JSONB       NOT NULL,
    phase            TEXT        NOT NULL,
    frozen_entries   BIGINT,
    frozen_head      BYTEA,
    frozen_files     JSONB,
    triaged_severity SMALLINT,
    reason_hash      BYTEA,
    opened_at        TIMESTAMPTZ NOT NULL,
    updated_at       TIMESTAMPTZ NOT NULL,
    version          BIGINT      NOT NULL,
    triage_rank      SMALLINT    NOT NULL GENERATED ALWAYS AS (
        (CASE WHEN phase IN ('upheld', 'partly_upheld', 'rejected', 'withdrawn') THEN 10 ELSE 0 END
            - COALESCE(triaged_severity, severity))::smallint
    ) STORED,

    CONSTRAINT case_file_pk PRIMARY KEY (case_id),
    CONSTRAINT case_file_number_once UNIQUE (number),
    CONSTRAINT case_file_about_known
        CHECK (about IN ('property_damage', 'privacy_violation', 'safety_near_miss', 'failure_to_complete',
                         'access_failure', 'theft_allegation', 'robot_stuck', 'human_contact', 'billing')),
    CONSTRAINT case_file_phase_known
        CHECK (phase IN ('opened', 'evidence_frozen', 'triaged', 'under_review', 'upheld', 'partly_upheld', 'rejected',
                         'withdrawn')),
    CONSTRAINT case_file_severities_from_one_to_five
        CHECK (severity BETWEEN 1 AND 5 AND triaged_severity BETWEEN 1 AND 5),
    CONSTRAINT case_file_hashes_are_sha256
        CHECK (octet_length(words_hash) = 32 AND octet_length(frozen_head) = 32 AND octet_length(reason_hash) = 32),
    CONSTRAINT case_file_pictures_bounded
        CHECK (jsonb_typeof(pictures) = 'array' AND jsonb_array_length(pictures) <= 3),
    CONSTRAINT case_file_frozen_whole_or_absent
        CHECK ((frozen_entries IS NULL) = (frozen_head IS NULL) AND (frozen_entries IS NULL) = (frozen_files IS NULL)),
    CONSTRAINT case_file_frozen_of_something CHECK (frozen_entries >= 1),
    CONSTRAINT case_file_frozen_files_bounded
        CHECK (jsonb_typeof(frozen_files) = 'array' AND jsonb_array_length(frozen_files) <= 512),
    CONSTRAINT case_file_frozen_by_phase
        CHECK (phase = 'withdrawn' OR (frozen_entries IS NULL) = (phase = 'opened')),
    CONSTRAINT case_file_triaged_by_phase
        CHECK (phase = 'withdrawn' OR (triaged_severity IS NULL) = (phase IN ('opened', 'evidence_frozen'))),
    CONSTRAINT case_file_triaged_after_frozen CHECK (triaged_severity IS NULL OR frozen_entries IS NOT NULL),
    CONSTRAINT case_file_reason_iff_ruled
        CHECK ((reason_hash IS NOT NULL) = (phase IN ('upheld', 'partly_upheld', 'rejected'))),
    CONSTRAINT case_file_version_from_one CHECK (version >= 1)
);

COMMENT ON COLUMN trust.case_file.number IS 'For people: C-0112. Gaps mean nothing.';
COMMENT ON COLUMN trust.case_file.version IS
    'Count of events applied. Writers compare and bump it: optimistic locking.';
COMMENT ON COLUMN trust.case_file.triage_rank IS
    'The order of the triage list: open cases below zero, the gravest lowest; what is over above.';

CREATE INDEX case_file_for_triage ON trust.case_file (organisation_id, triage_rank, opened_at, case_id);
CREATE INDEX case_file_of_job ON trust.case_file (job_id, opened_at, case_id);
GRANT SELECT, INSERT ON trust.case_file TO nooterra_app;
-- Who complained about what is written once.
GRANT UPDATE (phase, frozen_entries, frozen_head, frozen_files, triaged_severity, reason_hash, updated_at, version)
    ON trust.case_file TO nooterra_app;

-- The requester's words, and the reason of the ruling. Never changed, only deleted.
CREATE TABLE trust.case_words (
    case_id     UUID  NOT NULL,
    part        TEXT  NOT NULL,
    words       TEXT  NOT NULL,
    salt        BYTEA NOT NULL,
    salted_hash BYTEA NOT NULL,

    CONSTRAINT case_words_pk PRIMARY KEY (case_id, part),
    CONSTRAINT case_words_of_case FOREIGN KEY (case_id) REFERENCES trust.case_file,
    CONSTRAINT case_words_part_known CHECK (part IN ('complaint', 'reason')),
    CONSTRAINT case_words_bounded CHECK (char_length(words) BETWEEN 1 AND 2000),
    CONSTRAINT case_words_salt_is_long CHECK (octet_length(salt) = 32),
    CONSTRAINT case_words_are_what_was_hashed CHECK (salted_hash = sha256(salt || convert_to(words, 'UTF8')))
);
GRANT SELECT, INSERT, DELETE ON trust.case_words TO nooterra_app;

-- What the requester photographed. Never changed, only deleted.
CREATE TABLE trust.case_picture (
    case_id     UUID  NOT NULL,
    evidence_id UUID  NOT NULL,
    media_type  TEXT  NOT NULL,
    salt        BYTEA NOT NULL,
    salted_hash BYTEA NOT NULL,
    content     BYTEA NOT NULL,

    CONSTRAINT case_picture_pk PRIMARY KEY (case_id, evidence_id),
    CONSTRAINT case_picture_of_case FOREIGN KEY (case_id) REFERENCES trust.case_file,
    CONSTRAINT case_picture_media_type_known CHECK (media_type IN ('image/jpeg', 'image/png', 'image/webp')),
    CONSTRAINT case_picture_bounded CHECK (octet_length(content) BETWEEN 1 AND 524288),
    CONSTRAINT case_picture_salt_is_long CHECK (octet_length(salt) = 32),
    CONSTRAINT case_picture_is_what_was_hashed CHECK (salted_hash = sha256(salt || content))
);
-- Photographs are compressed already: trying again only costs time.
ALTER TABLE trust.case_picture ALTER COLUMN content SET STORAGE EXTERNAL;
GRANT SELECT, INSERT, DELETE ON trust.case_picture TO nooterra_app;
