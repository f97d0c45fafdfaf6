-- First answers, by the key that a caller chose: the same request again gets the same answer and has no second effect.
CREATE TABLE spine.idempotency (
    caller       UUID        NOT NULL,
    request_key  UUID        NOT NULL,
    request_hash BYTEA       NOT NULL,
    status       SMALLINT,
    answer       JSONB,
    kept_at      TIMESTAMPTZ NOT NULL,

    CONSTRAINT idempotency_pk PRIMARY KEY (caller, request_key),
    CONSTRAINT idempotency_hash_is_sha256 CHECK (octet_length(request_hash) = 32),
    CONSTRAINT idempotency_answer_whole CHECK ((status IS NULL) = (answer IS NULL))
);
COMMENT ON COLUMN spine.idempotency.answer IS
    'Written in the transaction that did the work; null only inside it.';
CREATE INDEX idempotency_by_age ON spine.idempotency (kept_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON spine.idempotency TO nooterra_app;
