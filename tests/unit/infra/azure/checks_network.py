"""Checks the network: who may connect, and what a private network needs so that the app still finds its services.

Source: docs/reference/azure.md#checks-beyond-the-compiler.
"""

import ipaddress
from collections.abc import Iterator, Mapping

from tests.unit.infra.azure.azure_files import ALL_OPTIONS, AzureFiles
from tests.unit.infra.azure.bicep_reader import Resource

STORAGE_SUFFIX = "<environment().suffixes.storage>"
ZONES: Mapping[str, str] = {
    **{service: f"privatelink.{service}.{STORAGE_SUFFIX}" for service in ("blob", "queue", "table")},
    "vault": "privatelink.vaultcore.azure.net",
}
"""The private DNS zone of each service that the app calls."""

SMALLEST_SUBNET = 27
"""Flex Consumption needs a /27 for the app (docs/reference/azure.md#flex-consumption)."""


def check_network(files: AzureFiles) -> Iterator[str]:
    """Storage and vault are open or closed as the options say, and a closed one has all of its private endpoint."""
    for case in files.cases:
        is_private = "all options" in case
        yield from (f"{case}: {fault}" for fault in _check_access(files, case, "Deny" if is_private else "Allow"))
        networks = files.resources_of_type("Network/virtualNetworks", case)
        subnet = files.function_app(case).properties["virtualNetworkSubnetId"]
        if subnet != next((f"{network.id}/subnets/app" for network in networks), None):
            yield f"{case}: the app's subnet is {subnet}"
        if is_private:
            yield from (f"{case}: {fault}" for fault in _check_subnets(networks[0]))
            for service in ZONES:
                yield from (f"{case}: {service}: {fault}" for fault in _check_service(files, case, service))


def _check_access(files: AzureFiles, case: str, action: str) -> Iterator[str]:
    allowed = ALL_OPTIONS["allowedAddresses"] if action == "Deny" else []
    for kind in ("Storage/storageAccounts", "KeyVault/vaults"):
        rules = files.only(kind, case).properties["networkAcls"]
        if rules["defaultAction"] != action:
            yield f"{kind} must {action.lower()} the internet"
        if [rule["value"] for rule in rules["ipRules"]] != allowed:
            yield f"{kind} allows {rules['ipRules']}"
        if any(rule.get("action", "Allow") != "Allow" for rule in rules["ipRules"]):
            yield f"{kind} does not allow the addresses"
    count = len(files.resources_of_type("Network/privateEndpoints", case))
    if count != (len(ZONES) if action == "Deny" else 0):
        yield f"there are {count} private endpoints"


def _check_subnets(network: Resource) -> Iterator[str]:
    whole = [ipaddress.IPv4Network(each) for each in network.properties["addressSpace"]["addressPrefixes"]]
    subnets = {each["name"]: each["properties"] for each in network.properties["subnets"]}
    if set(subnets) != {"app", "endpoints"}:
        yield f"the subnets are {sorted(subnets)}"
        return
    ranges = {name: ipaddress.IPv4Network(each["addressPrefix"]) for name, each in subnets.items()}
    for name, each in ranges.items():
        if each.prefixlen > SMALLEST_SUBNET:
            yield f"the subnet {name} has only {each.num_addresses} addresses"
        if not any(each.subnet_of(space) for space in whole):
            yield f"the subnet {name} is not in the network"
    if ranges["app"].overlaps(ranges["endpoints"]):
        yield "the subnets overlap"
    delegated = [each["properties"]["serviceName"] for each in subnets["app"].get("delegations", [])]
    if delegated != ["Microsoft.App/environments"] or subnets["endpoints"].get("delegations"):
        yield "only the app's subnet is delegated, to Microsoft.App/environments"
    if subnets["endpoints"].get("privateEndpointNetworkPolicies") != "Disabled":
        yield "network policies would stop the private endpoints"


def _check_service(files: AzureFiles, case: str, service: str) -> Iterator[str]:
    """The endpoint, its zone, the record in it, and the link through which the app finds it."""
    network = files.only("Network/virtualNetworks", case).id
    target = files.only("KeyVault/vaults" if service == "vault" else "Storage/storageAccounts", case).id
    connections = {"groupIds": [service], "privateLinkServiceId": target}
    endpoints = [
        each
        for each in files.resources_of_type("Network/privateEndpoints", case)
        if [one["properties"] for one in each.properties["privateLinkServiceConnections"]] == [connections]
    ]
    all_zones = files.resources_of_type("Network/privateDnsZones", case)
    zones = [each.id for each in all_zones if each.reference.full_name == ZONES[service]]
    if len(endpoints) != 1 or len(zones) != 1:
        yield f"there are {len(endpoints)} endpoints and {len(zones)} zones"
        return
    if endpoints[0].properties["subnet"]["id"] != f"{network}/subnets/endpoints":
        yield "the endpoint is in another subnet"
    records = [
        config["properties"]["privateDnsZoneId"]
        for each in files.resources_of_type("Network/privateEndpoints/privateDnsZoneGroups", case)
        if each.id.startswith(f"{endpoints[0].id}/")
        for config in each.properties["privateDnsZoneConfigs"]
    ]
    if records != zones:
        yield f"the endpoint's record is in {records}"
    links = [
        each.properties["virtualNetwork"]["id"]
        for each in files.resources_of_type("Network/privateDnsZones/virtualNetworkLinks", case)
        if each.id.startswith(f"{zones[0]}/")
    ]
    if links != [network]:
        yield f"the zone is linked to {links}"
