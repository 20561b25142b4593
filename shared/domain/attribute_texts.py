"""The sentences about what a deal says of itself by one of a few values: part of `shared.domain.edit_texts`."""

from collections.abc import Mapping

ATTRIBUTE_CAUSES: Mapping[str, tuple[str, str]] = {
    "bad_sales_stage": (
        "{label} {value} is no sales stage that Partner Center takes.",
        "Please enter one of these: {known}.",
    ),
    "unknown_sales_stage": (
        "{value} is no known sales stage.",
        "Please enter one of these in Partner Center: {known}.",
    ),
    "bad_attribute": (
        "{label} {value} is no value that the mapping file lists.",
        "Please choose one of these: {known}. Or ask your administrator to add it.",
    ),
    "unlisted_location": (
        "{label} {value} is none of the locations that the mapping file allows.",
        "Please enter one of these: {known}. It cannot be changed once the deal is made.",
    ),
    "unlisted_setting": (
        "This deal has no {label}, and the default {value} is none of the locations that the mapping file allows.",
        "Please enter one of these: {known}. Or ask your administrator to correct PARTNER_CENTER_LOCATION.",
    ),
    "hidden_location": (
        "{label} comes from {columns}, which the integration user may not see.",
        "Please ask your administrator to give that user access, or to correct the mapping file.",
    ),
    "location_fixed": (
        '{label} "{after}" was not sent: the location of a deal never changes, and {system} keeps "{before}".',
        "Please change it back here.",
    ),
    "unknown_attribute": (
        "The mapping file, which your administrator can extend, does not list {value}.",
        "Please ask your administrator to add it.",
    ),
    "several_attributes": ("Partner Center has several values: {value}.", "Please leave only one there."),
}
