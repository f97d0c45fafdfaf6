-- The one tree over all events: which leaf each event is, the tree's full tiles, and what the log has signed of it.
-- Nothing in these tables changes after commit either: the same privileges, and the same triggers for the owner.
CREATE TABLE spine.leaf (
    leaf_index BIGINT NOT NULL,
    sequence   BIGINT NOT NULL,
    leaf_hash  BYTEA  NOT NULL,

    CONSTRAINT leaf_pk PRIMARY KEY (leaf_index),
    CONSTRAINT leaf_once_per_event UNIQUE (sequence),
    CONSTRAINT leaf_index_from_zero CHECK (leaf_index >= 0),
    CONSTRAINT leaf_hash_is_sha256 CHECK (octet_length(leaf_hash) = 32)
);

COMMENT ON COLUMN spine.leaf.sequence IS
    'An event. No foreign key: events are never deleted, and checking one would lock and so rewrite the row of every event.';
COMMENT ON COLUMN spine.leaf.leaf_hash IS
    'RFC 6962 leaf hash over the event''s entry, computed from its bytes when the leaf was given.';

CREATE TABLE spine.tile (
    level      SMALLINT NOT NULL,
    tile_index BIGINT   NOT NULL,
    root       BYTEA    NOT NULL,
    hashes     BYTEA    NOT NULL,

    CONSTRAINT tile_pk PRIMARY KEY (level, tile_index),
    CONSTRAINT tile_level_known CHECK (level BETWEEN 0 AND 7),
    CONSTRAINT tile_index_from_zero CHECK (tile_index >= 0),
    CONSTRAINT tile_root_is_sha256 CHECK (octet_length(root) = 32),
    CONSTRAINT tile_is_full CHECK (octet_length(hashes) = 8192)
);
-- Hashes don't compress; and the roots, which are read by the hundred, stay close together without them.
ALTER TABLE spine.tile ALTER COLUMN hashes SET STORAGE EXTERNAL;

COMMENT ON TABLE spine.tile IS
    'Full tiles as in C2SP tlog-tiles. What is not full yet follows from the leaves and from the roots of the level below.';

CREATE TABLE spine.checkpoint (
    size      BIGINT      NOT NULL,
    root      BYTEA       NOT NULL,
    frontier  BYTEA       NOT NULL,
    note      TEXT        NOT NULL,
    signed_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT checkpoint_pk PRIMARY KEY (size),
    CONSTRAINT checkpoint_size_from_one CHECK (size >= 1),
    CONSTRAINT checkpoint_root_is_sha256 CHECK (octet_length(root) = 32),
    CONSTRAINT checkpoint_frontier_is_whole CHECK (octet_length(frontier) > 0 AND octet_length(frontier) % 32 = 0)
);

COMMENT ON COLUMN spine.checkpoint.note IS
    'The C2SP signed note. It is written in the transaction that gives the leaves it covers: no leaf is without a checkpoint.';
COMMENT ON COLUMN spine.checkpoint.frontier IS
    'Hashes of the complete subtrees, largest first: whoever goes on checks them against the root.';

CREATE TRIGGER leaf_never_changes
    BEFORE UPDATE OR DELETE OR TRUNCATE ON spine.leaf
    FOR EACH STATEMENT EXECUTE FUNCTION spine.refuse_change();
ALTER TABLE spine.leaf ENABLE ALWAYS TRIGGER leaf_never_changes;
CREATE TRIGGER tile_never_changes
    BEFORE UPDATE OR DELETE OR TRUNCATE ON spine.tile
    FOR EACH STATEMENT EXECUTE FUNCTION spine.refuse_change();
ALTER TABLE spine.tile ENABLE ALWAYS TRIGGER tile_never_changes;
CREATE TRIGGER checkpoint_never_changes
    BEFORE UPDATE OR DELETE OR TRUNCATE ON spine.checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION spine.refuse_change();
ALTER TABLE spine.checkpoint ENABLE ALWAYS TRIGGER checkpoint_never_changes;

GRANT SELECT, INSERT ON spine.leaf, spine.tile, spine.checkpoint TO nooterra_app;
