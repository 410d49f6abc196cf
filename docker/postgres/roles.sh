#!/bin/sh
# The database belongs to coop_owner, who migrates; the pages and workers are coop_app, who may do what migrations grant.
set -eu
secrets="${SECRETS:-/run/secrets}"
OWNER_PASSWORD="$(cat "$secrets/owner_password")"
APP_PASSWORD="$(cat "$secrets/app_password")"
export OWNER_PASSWORD APP_PASSWORD
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\getenv owner_password OWNER_PASSWORD
\getenv app_password APP_PASSWORD
CREATE ROLE coop_owner LOGIN CREATEDB PASSWORD :'owner_password';
CREATE ROLE coop_app LOGIN PASSWORD :'app_password';
CREATE DATABASE coop OWNER coop_owner;
REVOKE CONNECT ON DATABASE coop FROM PUBLIC;
GRANT CONNECT ON DATABASE coop TO coop_app;
SQL
