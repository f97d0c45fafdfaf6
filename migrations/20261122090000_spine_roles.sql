-- The application's role: it may read and write rows where it is told so, owns nothing and defines nothing.
-- Roles belong to the whole cluster, so it may be there already, and two databases may be migrated at once.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'nooterra_app') THEN
        CREATE ROLE nooterra_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO nooterra_app', current_database());
END
$$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
