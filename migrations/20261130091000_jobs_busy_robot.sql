-- Which robot is at a job, and which is silent over one, in columns of their own. Who looks for them finds them by an index, however many
-- jobs are over; and that index does not read the whole state, which every update changes.
ALTER TABLE jobs.job
    ADD COLUMN busy_robot_id UUID GENERATED ALWAYS AS (
        CASE WHEN phase NOT IN ('completed', 'aborted', 'cancelled')
                  AND state #>> '{phase,work,name}' IS DISTINCT FROM 'verifying'
             THEN robot_id END
    ) STORED,
    ADD COLUMN silent_robot_id UUID GENERATED ALWAYS AS (CASE WHEN phase = 'stalled' THEN robot_id END) STORED;
COMMENT ON COLUMN jobs.job.busy_robot_id IS
    'The robot that holds the job or is offered it, until it has finished. It does one thing at a time.';
COMMENT ON COLUMN jobs.job.silent_robot_id IS
    'The robot that has the job and of which nothing is heard, also where it has finished.';
DROP INDEX jobs.job_one_per_robot;
CREATE UNIQUE INDEX job_one_per_robot ON jobs.job (busy_robot_id) WHERE busy_robot_id IS NOT NULL;
CREATE INDEX job_of_silent_robot ON jobs.job (silent_robot_id) WHERE silent_robot_id IS NOT NULL;
-- Room for the next version of a row beside it.
ALTER TABLE jobs.job SET (fillfactor = 70);
