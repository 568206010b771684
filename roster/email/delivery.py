"""What the email backends have in common."""


class DeliveryFailed(Exception):
    """An email could not be delivered.

    Args:
        reason: What happened, safe for logs: no address and no content of the email.
        is_temporary: Whether a retry may succeed.
    """

    def __init__(self, reason: str, *, is_temporary: bool) -> None:
        super().__init__(reason)
        self.is_temporary = is_temporary
