"""Define the objects of Setup that only users with *View Setup and Configuration* see: apps, their users, languages.

The sources: docs/reference/salesforce.md#whom-an-app-admits and docs/reference/salesforce.md#translations-in-metadata.
"""

from dataclasses import replace

from emulators.salesforce.data.field_shapes import (
    checkbox_field,
    new_object,
    picklist_field,
    reference_field,
    text_field,
)
from emulators.salesforce.data.schema import SObject


def access_objects() -> tuple[SObject, ...]:
    """Permission sets and their users, what they open, apps with their policies, and languages."""
    objects = (
        new_object(
            "PermissionSet", "0PS",
            text_field("Name", 80, required=True), text_field("Label", 80), checkbox_field("IsOwnedByProfile"),
            setup=True,
        ),
        new_object(
            "PermissionSetAssignment", "0Pa",
            reference_field("PermissionSet", "PermissionSet", required=True),
            reference_field("Assignee", "User", required=True), setup=True,
        ),
        new_object(
            "SetupEntityAccess", "0J0",
            reference_field("Parent", "PermissionSet", required=True), text_field("SetupEntityId", 18, required=True),
            picklist_field("SetupEntityType", "ApexClass", "ConnectedApplication", "ExternalClientApplication"),
            setup=True,
        ),
        new_object(
            "ExternalClientApplication", "0xI",
            text_field("DeveloperName", 80, required=True), text_field("MasterLabel", 80),
            replace(picklist_field("DistributionState", "Local", "Packaged"), default="Local"), setup=True,
        ),
        new_object(
            "ExtlClntAppOauthPlcyCnfg", "0xP",
            reference_field("ExternalClientApplication", "ExternalClientApplication", required=True),
            picklist_field("PermittedUsersPolicyType", "AllSelfAuthorized", "AdminApprovedPreAuthorized"), setup=True,
        ),
        new_object(
            "Translation", "0XT",
            picklist_field("Language"), checkbox_field("IsActive"), checkbox_field("CanManage"), setup=True,
        ),
    )  # fmt: skip
    for each in objects:
        each.needs_view_setup = True
    return objects
