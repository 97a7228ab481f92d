#!/bin/sh
# Brings the schema up to date; with arguments, another command of sqitch's, such as "status".
# DATABASE_URL is the owner's: postgresql://owner:password@host:5432/cti
set -eu

: "${DATABASE_URL:?DATABASE_URL of the owner of the database is not set}"
rest=${DATABASE_URL#*://}
login=${rest%%@*}
place=${rest#*@}
# By environment: a program's arguments can be read by others.
PGPASSWORD=$(printf '%s' "${login#*:}" | perl -pe 's/%([0-9A-Fa-f]{2})/chr hex $1/ge')
export PGPASSWORD
[ $# -gt 0 ] || set -- deploy --verify
exec sqitch --chdir /migrations "$@" "db:pg://${login%%:*}@$place"
