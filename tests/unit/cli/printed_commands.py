"""Finds the commands in the output of a command."""

import re
import shlex


def printed_commands(output: str) -> list[list[str]]:
    """The words after `cosell` of each command between backticks, as a shell splits them."""
    return [shlex.split(command)[1:] for command in re.findall(r"`(cosell [^`]+)`", output)]
