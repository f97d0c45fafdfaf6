-- Whose a key is: found by the key's name, however long the log is. The kinds stand here as in `spine::evidence`.
CREATE INDEX event_binding_of_key ON spine.event ((payload ->> 'key'), stream, stream_number)
    WHERE kind IN ('robot.key_bound', 'session.key_bound', 'session.key_ended');
