-- Jobs that no robot took in their time are called off.
ALTER TABLE jobs.deadline DROP CONSTRAINT deadline_kind_known;
ALTER TABLE jobs.deadline ADD CONSTRAINT deadline_kind_known
    CHECK (kind IN ('acknowledge', 'approval', 'access_expiry', 'stop_report', 'acceptance', 'window'));
INSERT INTO jobs.deadline (job_id, kind, due_at)
SELECT job_id, 'window', window_until FROM jobs.job WHERE phase IN ('requested', 'dispatching', 'reserved');
