"""Choose the proxy of a command: the one that `COSELL_PROXY` names."""

import os

from shared.cli.environment import Environment
from shared.transport.proxy import use_proxy


def use_proxy_for(environment: Environment) -> None:
    """Use the proxy of the shell, if there is one, for all https calls of this process. Raises ConfigurationError.

    The systems of `make serve` are on this machine, so the environment `local` needs no proxy.
    """
    address = None if environment.is_local else os.environ.get("COSELL_PROXY")
    use_proxy(address)
    if address:
        os.environ["HTTPS_PROXY"] = address  # for the Azure CLI, which knows no other variable; our clients ignore it
