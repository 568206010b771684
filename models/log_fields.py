"""Fields of a log line, which the text and the JSON of the log write in their own ways."""


class LogFields(dict[str, object]):
    """Named values of a log line, the only argument of its message, which ends with `%s`.

    In text they are `name=value` pairs, in JSON fields of the object. The values are IDs, numbers
    and words of this program: no text of a request, no name and no address of a person.
    """

    def __str__(self) -> str:
        return " ".join(f"{name}={_as_text(value)}" for name, value in self.items())


def _as_text(value: object) -> str:
    if isinstance(value, list | tuple):
        return ",".join(map(str, value)) or "-"
    return "-" if value is None else str(value)
