"""Programs that mypy and pyright check in `make lint`; they are not run.

Each `assert_type` fails the check if the type is another one, and a comment that ignores an error
fails it if there is none.
"""
