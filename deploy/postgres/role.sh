#!/bin/sh
# Makes the role and the database of Rollbook: the role owns its database and is nothing more. Run by the
# PostgreSQL image when its volume is empty; elsewhere run it as a superuser:
#
#     ROLLBOOK_PASSWORD_FILE=rollbook.password deploy/postgres/role.sh
set -eu

# The password goes in by standard input: arguments are seen by every process of the host.
psql -v ON_ERROR_STOP=1 --no-psqlrc --username "${POSTGRES_USER:-postgres}" --dbname postgres <<SQL
\\set password \`cat "${ROLLBOOK_PASSWORD_FILE:-/run/secrets/postgres-rollbook}"\`
CREATE ROLE rollbook LOGIN PASSWORD :'password';
CREATE DATABASE rollbook OWNER rollbook ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE rollbook FROM PUBLIC;
SQL
