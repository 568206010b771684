#!/usr/bin/env bash
# Sign in, create, list, change, delete: a tour of the API on the demo data of `make run`.
# BASE names another address, as in: BASE=http://127.0.0.1:9000 docs/curl-session.sh
set -euo pipefail

BASE=${BASE:-http://127.0.0.1:8080}
JSON="Content-Type: application/json"
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT

# Like curl, but stop unless the status is the first argument.
expect() {
  local wanted=$1 answer
  shift
  answer=$(curl -sS -w '\n%{http_code}' "$@")
  if [ "${answer##*$'\n'}" != "$wanted" ]; then
    printf 'expected %s, got: %s\n' "$wanted" "$answer" >&2
    exit 1
  fi
  printf '%s\n' "${answer%$'\n'*}"
}

# One member of the JSON object on standard input.
member() {
  python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}

# Sign in as the admin of the demo data. The answer shows the token this once.
session=$(expect 201 "$BASE/v1/sessions" -H "$JSON" \
  -d '{"login": "john", "password": "correct horse battery staple"}')
auth="Authorization: Bearer $(member token <<<"$session")"

# Create a user, and keep the ETag of the answer.
user=$(expect 201 "$BASE/v1/users" -H "$auth" -H "$JSON" --etag-save "$scratch/etag" \
  -d '{"username": "ada", "email": "ada@example.com", "password": "a stone bridge over the river"}')
ada="$BASE/v1/users/$(member id <<<"$user")"
etag=$(<"$scratch/etag")

# List the users, newest first.
expect 200 "$BASE/v1/users?limit=2" -H "$auth"

# Change the user, on the condition that nobody else has changed it meanwhile.
expect 200 -X PATCH "$ada" -H "$auth" -H "$JSON" -H "If-Match: $etag" \
  -d '{"full_name": "Ada Lovelace", "metadata": {"team": "engines"}}'

# The user has moved on, so that ETag overwrites nothing any more.
expect 412 -X PATCH "$ada" -H "$auth" -H "$JSON" -H "If-Match: $etag" \
  -d '{"full_name": "Somebody Else"}'

# Delete the user. Its name and its address are free again.
expect 204 -X DELETE "$ada" -H "$auth"
expect 404 "$ada" -H "$auth"

# Sign out.
expect 204 -X DELETE "$BASE/v1/sessions/current" -H "$auth"
