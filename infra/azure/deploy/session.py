"""What one run of the deployment has at hand: the Azure CLI, a voice, a clock, the checkout."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.azure.deploy.az import Az, AzFailed
from infra.azure.deploy.failure import Stopped, explained

ROOT = Path(__file__).resolve().parents[3]


@dataclass(slots=True)
class Session:
    """One run. `ask` answers a question with yes or no; `sleep` and `monotonic` are in seconds."""

    environment: str
    say: Callable[[str], None]
    ask: Callable[[str], bool]
    az: Az = field(default_factory=Az)
    root: Path = ROOT
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    unattended: bool = False

    @property
    def names(self) -> Path:
        """Where the names of deployments are left for the command line."""
        return self.root / ".cosell"

    @property
    def deployment(self) -> str:
        """The deployment's own name in Azure."""
        return f"cosell-{self.environment}"

    @property
    def parameters(self) -> Path:
        """The parameter file."""
        return self.root / "infra" / "azure" / f"{self.environment}.bicepparam"

    def run(self, *words: str) -> Any:  # noqa: ANN401 - whatever the command's JSON is
        """A command whose failure ends the run with a sentence. Raises Stopped."""
        try:
            return self.az.run(*words)
        except AzFailed as failed:
            raise explained(failed.command, failed.text) from failed

    def found(self, *words: str, none: str) -> Any:  # noqa: ANN401 - as above
        """The same, or None where the failure says that there is nothing: `none` is part of its text."""
        try:
            return self.az.run(*words)
        except AzFailed as failed:
            if none.casefold() in failed.text.casefold():
                return None
            raise explained(failed.command, failed.text) from failed

    def sure(self, question: str) -> None:
        """Go on only after a yes. Raises Stopped."""
        if not self.ask(question):
            raise Stopped("You did not say yes: nothing was changed.", "Run again; --yes answers all questions.")
