-- Driving by hand is armed, and a stop released, by commands like any other.
ALTER TABLE assist.command
    DROP CONSTRAINT command_verb_known,
    ADD CONSTRAINT command_verb_known CHECK (verb IN ('navigate_to', 'stop', 'arm_drive', 'release_stop'));
