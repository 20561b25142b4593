"""Checks secrets (docs/reference/azure.md#checks-beyond-the-compiler)."""

from collections.abc import Iterator

from shared.clients.partner_center.sign_in import SecretNames
from shared.settings.variables import SalesforceSettings
from tests.unit.infra.azure.azure_files import AzureFiles


def check_secrets(files: AzureFiles) -> Iterator[str]:
    """Secrets have the names of the code. The deployment creates one, as a placeholder, and never overwrites it."""
    names = SecretNames()
    used = {names.refresh_token, names.certificate, names.client_secret}
    used.add(SalesforceSettings.model_fields["key_secret"].default)
    if set(files.readme_codes("Secrets")) != used:
        yield f"the README lists {sorted(files.readme_codes('Secrets'))}, the code uses {sorted(map(str, used))}"
    created = files.resources_of_type("KeyVault/vaults/secrets")
    if [each.body["name"] for each in created] != [names.refresh_token]:
        yield f"the deployment creates {[each.body['name'] for each in created]}"
    for each in created:
        if "onlyIfNotExists" not in each.decorators:
            yield f"{each.symbol}: a second deployment would overwrite the token"
        if each.properties.get("contentType") != "placeholder":
            yield f"{each.symbol}: its content type must say that it is a placeholder"
    for path in files.bicep_files():
        if "listKeys" in (source := path.read_text(encoding="utf-8")) or "AccountKey" in source:
            yield f"{path.name} reads an account key"
