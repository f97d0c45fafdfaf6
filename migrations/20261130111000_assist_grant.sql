-- Grants that the gateway's policy issued: what a signed command is checked against before it is sent on. The events of the robot's
-- stream say the same for good; rows go a day after their end.
CREATE TABLE assist.issued_grant (
    grant_id        UUID        NOT NULL,
    organisation_id UUID        NOT NULL,
    site_id         UUID        NOT NULL,
    robot_id        UUID        NOT NULL,
    person_id       UUID        NOT NULL,
    session_key     BYTEA       NOT NULL,
    epoch           BIGINT      NOT NULL,
    issued_at       TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,

    CONSTRAINT issued_grant_pk PRIMARY KEY (grant_id),
    CONSTRAINT issued_grant_session_key_length CHECK (octet_length(session_key) = 32),
    CONSTRAINT issued_grant_epoch_from_one CHECK (epoch >= 1),
    CONSTRAINT issued_grant_lasts_ten_minutes
        CHECK (expires_at > issued_at AND expires_at <= issued_at + INTERVAL '10 minutes')
);

CREATE INDEX issued_grant_over ON assist.issued_grant (expires_at);

GRANT SELECT, INSERT, DELETE ON assist.issued_grant TO nooterra_app;
