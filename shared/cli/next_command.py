"""Complete the commands that a printed sentence names, so that a person can copy them as they stand.

    complete = CommandOptions("staging", ("--target-org", "acme")).complete
    complete("Run `cosell salesforce deploy`.")
    # Run `cosell salesforce deploy --env staging --target-org acme`.

Many sentences come from modules that do not know which environment the command runs in, such as the remedies of errors.
So the options are added where the sentence is printed (`shared/cli/output.py`).
"""

import re
import shlex

from msgspec import Struct

PLACEHOLDER = ("--target-org", "ADMINISTRATOR")
"""Stands for the sign-in of the Salesforce administrator, if the command that runs was given none."""
_COMMAND = re.compile(
    r"\bcosell (?:connect (?:salesforce|partner-center)|(?P<as_admin>salesforce (?:deploy|add-section))"
    r"|mapping (?:check|diff|explain|schema|show)|salesforce solutions"
    r"|store (?:export|import)|webhook (?:show|register|test)|approve|backfill|close-test-referrals|compare"
    r"|doctor|explain|forget|pause|preview|resume|retry|status|sync|turn-off|turn-on)(?![\w-])(?! --env)"
)


class CommandOptions(Struct, frozen=True):
    """The environment of the command that runs, and the options by which it signs in as an administrator."""

    env: str
    administrator: tuple[str, ...] = ()

    def complete(self, text: str) -> str:
        """Return the text with `--env` after each command that lacks it, and the sign-in of an administrator."""
        return _COMMAND.sub(self._with_options, text)

    def _with_options(self, command: re.Match[str]) -> str:
        words = [command[0], "--env", shlex.quote(self.env)]
        if command["as_admin"]:
            words += map(shlex.quote, self.administrator or PLACEHOLDER)
        return " ".join(words)
