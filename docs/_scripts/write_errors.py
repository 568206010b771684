"""Write docs/errors.md from the registry of problems: `python docs/_scripts/write_errors.py`."""
# ruff: noqa: E501 - Markdown has one sentence per line, however long.

import re
from pathlib import Path

from api.problems import PROBLEMS, Problem

PATH = Path(__file__).parents[1] / "errors.md"

_INTRODUCTION = """\
# Errors

<!-- Written by `python docs/_scripts/write_errors.py` from `PROBLEMS` in api/problems.py. Do not edit. -->

Every error is an `application/problem+json` document (RFC 9457), also for unknown URLs, wrong methods and internal errors.

```json
{
  "type": "/problems/email-taken",
  "title": "Email address is already in use",
  "status": 409,
  "detail": "There is already an account with this email address.",
  "request_id": "5f2c8a1e9b7d4c30",
  "errors": [{"pointer": "/email", "detail": "There is already an account with this email address."}]
}
```

- `type` identifies the type of the problem.
  `GET` on it returns an explanation, as a page in a browser; `GET /problems` lists all types.
  See [compare types](#compare-types).
- `title` is the same for all problems of a type, `detail` describes this one.
- `status` is the HTTP status.
- `request_id` is also in the `X-Request-Id` header and in the log of the service.
- `errors` is present if single fields of the request are invalid: `pointer` is a JSON pointer into the body, or `/` and the name of a query parameter.

An error never repeats a rejected value, since it may be a password.

## Compare types

The part of `type` from `/problems/` on never changes.
Where [`ROSTER_PUBLIC_URL`](configuration.md) is set, `type` is an absolute URL, `https://accounts.example.com/problems/email-taken`, which leads to the explanation from a log, too; otherwise it is a path, `/problems/email-taken`.
A client that works with both compares the end:

```python
problem["type"].endswith("/problems/email-taken")
```

The OpenAPI 3.1 document lists all paths as the schema `ProblemTypePath`, so that generated clients complete them and reject a misspelled one, and allows an absolute URL beside them:

```typescript
type ProblemTypePath = components["schemas"]["ProblemTypePath"];
const is = (problem: { type: string }, path: ProblemTypePath) => problem.type.endsWith(path);
```

A client must expect types that it does not know: later versions add some.

## All types
"""


def render() -> str:
    """Return the page as it is committed."""
    rows = [f"| {p.status} | [{p.slug}](#{p.slug}) | {p.title} |" for p in PROBLEMS.values()]
    table = "\n".join(["| status | type | title |", "| --- | --- | --- |", *rows])
    sections = map(_section, PROBLEMS.values())
    return "\n".join([_INTRODUCTION, f"{table}\n", *sections])


def _section(problem: Problem) -> str:
    sentences = re.sub(r"(?<=\.) (?=[A-Z])", "\n", problem.meaning)
    return f"## {problem.slug}\n\nStatus {problem.status}: {problem.title}.\n\n{sentences}\n"


if __name__ == "__main__":
    PATH.write_text(render())
