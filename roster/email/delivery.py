"""What everybody who takes mails somewhere has in common."""


class DeliveryFailed(Exception):
    """A mail could not be taken where it belongs.

    Args:
        reason: What happened, fit for logs: neither an address nor anything out of the mail.
        may_pass: Whether another try may succeed.
    """

    def __init__(self, reason: str, *, may_pass: bool) -> None:
        super().__init__(reason)
        self.may_pass = may_pass
