#!/bin/sh
# Start Valkey, or with `alive` ask whether it answers. The password never stands on a command line.
set -eu
password="$(cat "${SECRETS:-/run/secrets}/broker_password")"
if [ "${1:-}" = alive ]; then
  REDISCLI_AUTH="$password" exec valkey-cli --no-auth-warning -e ping
fi
umask 077
conf="$(mktemp)"
printf 'requirepass %s\n' "$password" > "$conf"
exec valkey-server "$conf" --dir "${DATA:-/data}" --port "${PORT:-6379}" --appendonly yes --appendfsync everysec --maxmemory-policy noeviction
