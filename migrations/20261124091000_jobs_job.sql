-- Jobs: one row per job, derived from the events of its stream and rebuildable from them.
CREATE SCHEMA jobs;
GRANT USAGE ON SCHEMA jobs TO nooterra_app;

CREATE TABLE jobs.job (
    job_id          UUID        NOT NULL,
    organisation_id UUID        NOT NULL,
    site_id         UUID        NOT NULL,
    requester_id    UUID        NOT NULL,
    title           TEXT        NOT NULL,
    phase           TEXT        NOT NULL,
    robot_id        UUID,
    epoch           BIGINT      NOT NULL,
    window_from     TIMESTAMPTZ NOT NULL,
    window_until    TIMESTAMPTZ NOT NULL,
    requested_at    TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    version         BIGINT      NOT NULL,
    state           JSONB       NOT NULL,

    CONSTRAINT job_pk PRIMARY KEY (job_id),
    CONSTRAINT job_title_bounded CHECK (char_length(title) BETWEEN 1 AND 256),
    CONSTRAINT job_phase_known
        CHECK (phase IN ('requested', 'dispatching', 'reserved', 'travelling', 'at_site', 'executing', 'awaiting_approval',
                         'assisted', 'stalled', 'stopping', 'paused', 'incident', 'verifying',
                         'completed', 'aborted', 'cancelled')),
    CONSTRAINT job_robot_where_one_has_it
        CHECK (CASE WHEN phase = 'requested' THEN robot_id IS NULL
                    WHEN phase IN ('dispatching', 'cancelled') THEN TRUE
                    ELSE robot_id IS NOT NULL END),
    CONSTRAINT job_epoch_with_robot CHECK (epoch >= 0 AND (robot_id IS NULL OR epoch >= 1)),
    CONSTRAINT job_window_begins_before_it_ends CHECK (window_from < window_until),
    CONSTRAINT job_asked_for_first CHECK (requested_at <= updated_at),
    CONSTRAINT job_version_from_one CHECK (version >= 1),
    CONSTRAINT job_state_is_this_one
        CHECK ((state ->> 'version')::bigint IS NOT DISTINCT FROM version
               AND (state ->> 'epoch')::bigint IS NOT DISTINCT FROM epoch
               AND (state #>> '{request,job}')::uuid IS NOT DISTINCT FROM job_id)
);

COMMENT ON COLUMN jobs.job.robot_id IS
    'The robot that holds the job or is offered it; the one that had it last, when it is over.';
COMMENT ON COLUMN jobs.job.version IS
    'Count of events applied. Writers compare and bump it: optimistic locking.';
COMMENT ON COLUMN jobs.job.state IS
    'The whole job as its events make it. The other columns repeat what is searched for and checked.';

-- A robot does one thing at a time, and two robots never have one job: there is one row per job. A robot that has finished is
-- free for the next job while the requester looks at its work.
CREATE UNIQUE INDEX job_one_per_robot ON jobs.job (robot_id)
    WHERE robot_id IS NOT NULL AND phase NOT IN ('completed', 'aborted', 'cancelled')
      AND state #>> '{phase,work,name}' IS DISTINCT FROM 'verifying';
CREATE INDEX job_of_organisation ON jobs.job (organisation_id, requested_at DESC, job_id DESC);
CREATE INDEX job_of_site ON jobs.job (site_id, requested_at DESC, job_id DESC);
CREATE INDEX job_of_requester ON jobs.job (requester_id, requested_at DESC, job_id DESC);
CREATE INDEX job_of_robot ON jobs.job (robot_id, requested_at DESC, job_id DESC) WHERE robot_id IS NOT NULL;
GRANT SELECT, INSERT, UPDATE ON jobs.job TO nooterra_app;

-- The moments that jobs wait for, written with the row that they follow from.
CREATE TABLE jobs.deadline (
    job_id UUID        NOT NULL,
    kind   TEXT        NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,

    CONSTRAINT deadline_pk PRIMARY KEY (job_id, kind),
    CONSTRAINT deadline_of_job FOREIGN KEY (job_id) REFERENCES jobs.job,
    CONSTRAINT deadline_kind_known
        CHECK (kind IN ('acknowledge', 'approval', 'access_expiry', 'stop_report', 'acceptance'))
);
CREATE INDEX deadline_due ON jobs.deadline (due_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs.deadline TO nooterra_app;
