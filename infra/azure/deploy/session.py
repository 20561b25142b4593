"""Holds what one run of a deployment command uses: the Azure CLI, the terminal, a clock and the checkout."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.azure.deploy.az import Az, AzError
from infra.azure.deploy.failure import DeploymentFailure, explain_az_error
from shared.cli.deployed_names import deployment_name

ROOT = Path(__file__).resolve().parents[3]
STAGING, PRODUCTION = "staging", "production"
ENVIRONMENTS = (STAGING, PRODUCTION)
ANSWER_YES = "Run again. YES=1 (without make: --yes) answers every question with yes."


@dataclass(slots=True)
class Session:
    """One run of a command.

    `say` prints a line, `ask` answers a question with yes or no, `sleep` and `monotonic` count seconds. `unattended`
    is true if no person can answer.
    """

    environment: str
    say: Callable[[str], None]
    ask: Callable[[str], bool]
    az: Az = field(default_factory=Az)
    root: Path = ROOT
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    unattended: bool = False

    @property
    def names_folder(self) -> Path:
        """The folder of the files that tell `cosell` the names of the resources."""
        return self.root / ".cosell"

    @property
    def deployment_name(self) -> str:
        """The name of the deployment in Azure."""
        return deployment_name(self.environment)

    @property
    def parameter_file(self) -> Path:
        """The environment's Bicep parameter file."""
        return self.root / "infra" / "azure" / f"{self.environment}.bicepparam"

    def run_az(self, *words: str) -> Any:  # noqa: ANN401 - any JSON that the command prints
        """The JSON that a command of the Azure CLI prints. Raises DeploymentFailure with a remedy."""
        try:
            return self.az.run_json(*words)
        except AzError as error:
            raise explain_az_error(error) from error

    def run_az_or_none(self, *words: str, missing: str) -> Any:  # noqa: ANN401 - as above
        """As `run_az`, but None if the error text contains `missing`: what was asked for does not exist."""
        try:
            return self.az.run_json(*words)
        except AzError as error:
            if missing.casefold() in error.text.casefold():
                return None
            raise explain_az_error(error) from error

    def require_confirmation(self, question: str, remedy: str = ANSWER_YES) -> None:
        """Ask, and return only after a yes. Raises DeploymentFailure."""
        if not self.ask(question):
            raise DeploymentFailure("The question was not answered with yes, so the command stopped.", remedy)
