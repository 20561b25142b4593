"""Choose in which languages a deployment brings translated labels: those asked for, or those that the org has on."""

from msgspec import Struct
from rich.markup import escape

from shared.cli.output import Output
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.org_languages import languages_on
from shared.clients.salesforce.source_format import Package


class LanguageWish(Struct, frozen=True):
    """The options: all translations, none of them, or only these languages. Neither: what the org has on."""

    translations: bool | None = None
    languages: tuple[str, ...] = ()

    @property
    def follows_org(self) -> bool:
        """Whether the org decides."""
        return self.translations is None and not self.languages

    def restrict(self, package: Package) -> Package:
        """Return the package with the languages that were asked for. Raises ConfigurationError for one it lacks."""
        if self.languages:
            return package.with_languages(self.languages)
        return package.with_languages(()) if self.translations is False else package

    def fit_to_org(self, package: Package, salesforce: SalesforceClient, output: Output) -> tuple[Package, list[str]]:
        """Return the package with what the org has on, if the org decides, and the languages that are left out.

        Says which languages that are.
        """
        if not self.follows_org:
            return package, []
        active = languages_on(salesforce)
        taken = package.languages & (active or frozenset())
        left_out = sorted(package.languages - taken)
        output.say(escape(_sentence(sorted(taken), left_out, is_known=active is not None)))
        return package.with_languages(taken), left_out


def _sentence(taken: list[str], left_out: list[str], *, is_known: bool) -> str:
    if not is_known:
        return (
            "Which languages the org has on may not be read, so labels stay in English. --translations brings them all."
        )
    brought = f"Labels come in English{''.join(f', {code}' for code in taken)}."
    if not left_out:
        return brought
    return (
        f"{brought} The org does not have these languages on: {', '.join(left_out)}. To have their labels too, "
        "activate them in Setup (Translation Language Settings), and deploy again."
    )
