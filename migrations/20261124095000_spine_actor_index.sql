-- Most events are the gateway's own and have no number of their actor: they need no place in this index.
ALTER TABLE spine.event DROP CONSTRAINT event_once_per_actor;
CREATE UNIQUE INDEX event_once_per_actor ON spine.event (actor_key, actor_number) WHERE actor_number IS NOT NULL;
