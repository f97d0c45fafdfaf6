-- What people saw when they gave commands, as the robot kept it. A row is there once an event of the robot names the clip, its
-- content once the robot brought it. The log holds the hash only: the content can be deleted and the log still proves what it was.
CREATE TABLE assist.clip (
    robot_id  UUID        NOT NULL,
    clip_hash BYTEA       NOT NULL,
    named_at  TIMESTAMPTZ NOT NULL,
    content   BYTEA,

    CONSTRAINT clip_pk PRIMARY KEY (robot_id, clip_hash),
    CONSTRAINT clip_hash_is_long CHECK (octet_length(clip_hash) = 32),
    CONSTRAINT clip_bounded CHECK (octet_length(content) BETWEEN 1 AND 1081344),
    CONSTRAINT clip_is_what_was_hashed CHECK (clip_hash = sha256(content))
);
-- Pictures are compressed already: trying again only costs time.
ALTER TABLE assist.clip ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE INDEX clip_by_age ON assist.clip (named_at) WHERE content IS NOT NULL;
GRANT SELECT, INSERT, UPDATE ON assist.clip TO nooterra_app;
