"""A scripted far side: a function from request to response under httpx's MockTransport."""

from collections.abc import Callable

import httpx

type Answer = Callable[..., httpx.Response]
type Trouble = httpx.Response | Exception
type Step = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class FarSide:
    """Answers each request with the next step of its script; the last step goes on answering."""

    def __init__(self) -> None:
        self.script: list[Step] = []
        self.requests: list[httpx.Request] = []
        self.forced: list[bool] = []
        self.now = 0.0

    def says(self, *steps: Step) -> None:
        self.script = list(steps)

    def token(self, force: bool) -> str:
        self.forced.append(force)
        return f"token-{len(self.forced)}"

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        if isinstance(step, httpx.Response):
            # A response is consumed by reading: each request gets one of its own.
            return httpx.Response(step.status_code, headers=step.headers, content=step.content)
        return step(request)

    @property
    def methods(self) -> list[str]:
        return [request.method for request in self.requests]
