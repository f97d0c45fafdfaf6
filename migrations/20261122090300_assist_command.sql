-- Commands to robots and what became of them: one row per command, derived from the events of the robot's stream.
CREATE SCHEMA assist;
GRANT USAGE ON SCHEMA assist TO nooterra_app;

CREATE TABLE assist.command (
    command_id      UUID             NOT NULL,
    organisation_id UUID             NOT NULL,
    site_id         UUID             NOT NULL,
    robot_id        UUID             NOT NULL,
    issued_by       UUID             NOT NULL,
    issued_at       TIMESTAMPTZ      NOT NULL,
    verb            TEXT             NOT NULL,
    x_m             DOUBLE PRECISION,
    y_m             DOUBLE PRECISION,
    heading_rad     DOUBLE PRECISION,
    fate            TEXT             NOT NULL,
    reason          TEXT,
    answer_by       TIMESTAMPTZ      NOT NULL,
    answered_at     TIMESTAMPTZ,
    ended_at        TIMESTAMPTZ,
    version         BIGINT           NOT NULL,

    CONSTRAINT command_pk PRIMARY KEY (command_id),
    CONSTRAINT command_verb_known CHECK (verb IN ('navigate_to', 'stop')),
    CONSTRAINT command_target_iff_navigating
        CHECK ((verb = 'navigate_to') = (x_m IS NOT NULL) AND (x_m IS NULL) = (y_m IS NULL)),
    CONSTRAINT command_heading_only_with_target CHECK (heading_rad IS NULL OR verb = 'navigate_to'),
    CONSTRAINT command_target_in_reach CHECK (x_m BETWEEN -10000 AND 10000 AND y_m BETWEEN -10000 AND 10000),
    CONSTRAINT command_fate_known
        CHECK (fate IN ('sent', 'accepted', 'refused', 'done', 'abandoned', 'unanswered')),
    CONSTRAINT command_reason_iff_turned_down CHECK ((reason IS NOT NULL) = (fate IN ('refused', 'abandoned'))),
    CONSTRAINT command_answered_iff_robot_spoke
        CHECK ((answered_at IS NULL) = (fate IN ('sent', 'unanswered'))),
    CONSTRAINT command_ended_iff_over CHECK ((ended_at IS NULL) = (fate IN ('sent', 'accepted'))),
    CONSTRAINT command_version_from_one CHECK (version >= 1)
);

COMMENT ON COLUMN assist.command.answer_by IS
    'After this moment a command that is still sent has gone unanswered; claimed with SKIP LOCKED.';
COMMENT ON COLUMN assist.command.version IS
    'Count of events applied. Writers compare and bump it: optimistic locking.';

CREATE INDEX command_of_robot ON assist.command (robot_id, issued_at DESC, command_id DESC);
CREATE INDEX command_unanswered_yet ON assist.command (answer_by) WHERE fate = 'sent';
GRANT SELECT, INSERT, UPDATE ON assist.command TO nooterra_app;
