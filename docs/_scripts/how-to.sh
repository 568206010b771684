# Functions of the pages in docs/how-to, for bash: source docs/_scripts/how-to.sh
# BASE and DATA name another service than that of `make run`.
BASE=${BASE:-http://127.0.0.1:8080}
DATA=${DATA:-.roster}
# Where `make run` installs the command `roster`.
PATH=$PATH:$PWD/.venv/bin
PASSWORD="a stone bridge over the river"
DEMO_PASSWORD="correct horse battery staple"

# Make a request, with TOKEN if it is set: api METHOD PATH [BODY [CURL OPTIONS]]
api() {
  curl -sS --fail-with-body -X "$1" "$BASE$2" ${TOKEN:+-H "Authorization: Bearer $TOKEN"} \
    ${3:+-H "Content-Type: application/json" -d "$3"} -w '\n' "${@:4}"
}

# Make a request, and fail unless it has this status, or this problem, as in
# `expect 201 POST /v1/users ...` and `expect email-taken POST /v1/users ...`:
# expect STATUS|PROBLEM METHOD PATH [BODY [CURL OPTIONS]]
expect() {
  local response status type
  response=$(api "$2" "$3" "${4:-}" "${@:5}" -w '\n%{http_code}' 2>/dev/null || true)
  status=${response##*$'\n'} response=${response%$'\n'*}
  type=$(field type <<<"$response" 2>/dev/null || true)
  if [ "$1" = "${type##*/}" ]; then status=$1; fi
  expect_equal "$1" "$status" "$2 $3" || { echo "$response" >&2; return 1; }
}

# Fail unless two texts are equal: expect_equal EXPECTED ACTUAL [SUBJECT]
expect_equal() {
  [ "$1" = "$2" ] || { echo "${3:+$3: }expected $1, got $2" >&2; return 1; }
  echo "ok: ${3:+$3: }$1"
}

# Print a field of the JSON on standard input, as in: field items.0.id
field() {
  python3 -c '
import json, sys
text = sys.stdin.read()
try:
    value = json.loads(text)
    for name in sys.argv[1].split("."):
        value = value[int(name) if name.isdigit() else name]
except (LookupError, TypeError, ValueError):
    sys.exit(f"There is no {sys.argv[1]} in: {text}")
print(value if isinstance(value, str) else json.dumps(value, sort_keys=True))' "$1"
}

# Print the hours until the timestamp on standard input, rounded.
hours_until() {
  python3 -c '
from datetime import datetime, timezone
until = datetime.fromisoformat(input().replace("Z", "+00:00"))
print(round((until - datetime.now(timezone.utc)).total_seconds() / 3600))'
}

# Print the claims of the signed token on standard input as JSON, without verifying it.
claims() {
  python3 -c '
import base64, sys
print(base64.urlsafe_b64decode(sys.stdin.read().split(".")[1] + "==").decode())'
}

# Print the token of a new session: sign_in LOGIN [PASSWORD]
sign_in() {
  TOKEN="" api POST /v1/sessions "{\"login\": \"$1\", \"password\": \"${2:-$PASSWORD}\"}" | field token
}

# Print the token in the newest email to an address with a link to a page; wait for it:
# emailed ADDRESS PAGE
emailed() {
  local attempt
  for attempt in $(seq 50); do
    curl -sS "$BASE/dev/mail" -H "Accept: application/json" | python3 -c '
import json, sys
to, page = sys.argv[1:]
links = [mail["link"] or "" for mail in json.load(sys.stdin) if mail["to"] == to]
tokens = [link.partition("#token=")[2] for link in links if f"/{page}#" in link]
print(tokens[0]) if tokens else sys.exit(1)' "$1" "$2" && return
    sleep 0.1
  done
  echo "There is no email to $1 with a link to /$2." >&2
  return 1
}
