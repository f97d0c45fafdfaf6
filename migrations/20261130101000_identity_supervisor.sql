-- An operator who runs a shift may also take control of a robot from another.
ALTER TABLE identity.role_grant DROP CONSTRAINT role_grant_role_known;
ALTER TABLE identity.role_grant ADD CONSTRAINT role_grant_role_known
    CHECK (role IN ('operator', 'supervisor', 'requester', 'owner', 'admin'));
