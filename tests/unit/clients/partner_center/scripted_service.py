"""A scripted service for httpx's MockTransport: it answers each request with the next step of a script."""

from collections.abc import Callable

import httpx

type Answer = Callable[..., httpx.Response]
type Failure = httpx.Response | Exception
type Step = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class ScriptedService:
    """Answers each request with the next step of its script. The last step answers all further requests."""

    def __init__(self) -> None:
        self.script: list[Step] = []
        self.requests: list[httpx.Request] = []
        self.renewals: list[bool] = []
        self.now = 0.0

    def set_script(self, *steps: Step) -> None:
        self.script = list(steps)

    def token(self, force: bool) -> str:
        self.renewals.append(force)
        return f"token-{len(self.renewals)}"

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        if isinstance(step, httpx.Response):
            # A response can be read only once, so each request gets a copy.
            return httpx.Response(step.status_code, headers=step.headers, content=step.content)
        return step(request)

    @property
    def methods(self) -> list[str]:
        return [request.method for request in self.requests]
