-- What a robot photographed as evidence of a job's steps. The log holds salted hashes of it only: a row can be deleted and the
-- log still proves what it was. Never changed, only deleted.
CREATE TABLE jobs.evidence (
    job_id      UUID  NOT NULL,
    evidence_id UUID  NOT NULL,
    media_type  TEXT  NOT NULL,
    salt        BYTEA NOT NULL,
    salted_hash BYTEA NOT NULL,
    content     BYTEA NOT NULL,

    CONSTRAINT evidence_pk PRIMARY KEY (job_id, evidence_id),
    CONSTRAINT evidence_of_job FOREIGN KEY (job_id) REFERENCES jobs.job,
    CONSTRAINT evidence_media_type_known CHECK (media_type IN ('image/jpeg', 'image/png', 'image/webp')),
    CONSTRAINT evidence_bounded CHECK (octet_length(content) BETWEEN 1 AND 524288),
    CONSTRAINT evidence_salt_is_long CHECK (octet_length(salt) = 32),
    CONSTRAINT evidence_is_what_was_hashed CHECK (salted_hash = sha256(salt || content))
);
-- Photographs are compressed already: trying again only costs time.
ALTER TABLE jobs.evidence ALTER COLUMN content SET STORAGE EXTERNAL;
GRANT SELECT, INSERT, DELETE ON jobs.evidence TO nooterra_app;
