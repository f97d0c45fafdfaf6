-- Which event says whose a key is: read for every bundle, by the key's name.
CREATE INDEX event_of_key ON spine.event ((payload ->> 'key'))
    WHERE kind IN ('robot.key_bound', 'session.key_bound', 'session.key_ended');
