"""The refusals of the token endpoint and of the sign-in page."""


class OAuthError(Exception):
    """A refusal (docs/reference/salesforce.md#refusals-of-the-token-endpoint)."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        """`error` and `description` are the service's own texts."""
        super().__init__(description)
        self.status = status
        self.body = {"error": error, "error_description": description}
