#!/bin/sh
# The same as definitions.json as commands, for a broker that is there already, and the user that
# definitions.json leaves out. Safe to run again.
#
#     ROLLBOOK_PASSWORD_FILE=rollbook.password deploy/rabbitmq/policies.sh
#
#   RABBITMQCTL             the command, if it is not `rabbitmqctl`
#   ROLLBOOK_PASSWORD_FILE  the password of the broker's user `rollbook`; without it, no user is made
#   VHOST, PREFIX           `rollbook` each; PREFIX is `prefix` in [queue]
#   WORK_BYTES              the most that one work queue may hold, 8 GiB if not given
set -eu

ctl=${RABBITMQCTL:-rabbitmqctl}
vhost=${VHOST:-rollbook}
prefix=${PREFIX:-rollbook}
work_bytes=${WORK_BYTES:-8589934592}
# A dot of the prefix is a dot, not any character.
name=$(printf %s "$prefix" | sed 's/\./\\./g')

"$ctl" -q list_vhosts name --no-table-headers | grep -qxF "$vhost" || "$ctl" add_vhost "$vhost"

# Work queues refuse what is beyond this (`x-overflow` in their arguments says: refuse, never drop), and
# ingest then spools. Without it a backlog grows until the disk alarm, which stops the workers'
# own retries and dead letters too, so that the backlog could not even shrink. Not for the retry
# levels, `dead-letters` and `unrouted`: what stands there has nowhere else to go.
"$ctl" set_policy -p "$vhost" --apply-to queues --priority 10 "$prefix-work" \
  "^$name\\.(?!dead-letters\$|unrouted\$)[^.]+\$" "{\"max-length-bytes\": $work_bytes}"

# The least that Rollbook needs: to declare, write and read what bears its prefix. Nothing of the
# default exchange, no administration.
if [ -n "${ROLLBOOK_PASSWORD_FILE:-}" ]; then
  if "$ctl" -q list_users --no-table-headers | cut -f1 | grep -qx rollbook; then
    "$ctl" change_password rollbook <"$ROLLBOOK_PASSWORD_FILE"
  else
    "$ctl" add_user rollbook <"$ROLLBOOK_PASSWORD_FILE"
  fi
  "$ctl" set_permissions -p "$vhost" rollbook "^$name\\." "^$name\\." "^$name\\."
fi
