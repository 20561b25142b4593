"""Sign-ins that fail: the service refuses the account, or the endpoint does not answer."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.clients.salesforce.token_endpoint import Token, TokenSource
from shared.foundation.errors import SignInFailed, Unavailable
from shared.transport.deadline import Deadline


@dataclass(slots=True)
class SignInFault:
    """The next `times` sign-ins are refused, or get no answer."""

    is_refused: bool
    times: int = 1

    def check(self) -> None:
        """Raise the error of a sign-in that fails."""
        if self.times <= 0:
            return
        self.times -= 1
        if self.is_refused:
            raise SignInFailed("the sign-in is refused", code="invalid_grant", remedy="Sign in again.")
        raise Unavailable("the sign-in got no answer")


class FaultyToken:
    """The access token of Partner Center, behind the faults of the sign-in."""

    def __init__(self, token: Callable[[bool], str], faults: list[SignInFault]) -> None:
        self._token, self._faults = token, faults

    def __call__(self, force: bool) -> str:
        for fault in self._faults:
            fault.check()
        return self._token(force)


class FaultySignIn:
    """The session of Salesforce, behind the faults of the sign-in."""

    def __init__(self, sign_in: TokenSource, faults: list[SignInFault]) -> None:
        self._sign_in, self._faults = sign_in, faults

    def token(self, deadline: Deadline, *, refused: Token | None = None) -> Token:
        for fault in self._faults:
            fault.check()
        return self._sign_in.token(deadline, refused=refused)
