"""Faults of `[location]` in a mapping file, and their sentences."""

from collections.abc import Mapping

A_LOCATION = 'the PartnerID of a location, such as "1234567"'

LOCATION_FAULTS: Mapping[str, tuple[str, list[str]]] = {
    "a table without locations": (
        "[location]\nallowed = []",
        [f"line 3: location.allowed: expected a list in [ ], where each text is {A_LOCATION}; found an empty list."],
    ),
    "no list of locations": (
        '[location]\ncolumn = "Partner_Location__c"',
        [f"line 2: location.allowed: this key is missing; expected a list in [ ], where each text is {A_LOCATION}."],
    ),
    "a location that is a number": (
        "[location]\nallowed = [1234567]",
        [f"line 3: location.allowed.0: expected {A_LOCATION}; found a number."],
    ),
    "locations that are not allowed": (
        '[location]\nallowed = ["1234567", "7654321"]\ndefault = "1234576"\ncountries = { DE = "7" }',
        [
            (
                'line 4: location.default: expected 1234567 or 7654321, which allowed lists; found "1234576". '
                "Did you mean 1234567?"
            ),
            'line 5: location.countries.DE: expected 1234567 or 7654321, which allowed lists; found "7".',
        ],
    ),
    "a country by its name": (
        '[location]\nallowed = ["1234567"]\ncountries = { Germany = "1234567" }',
        [
            (
                "line 4: location.countries.Germany: expected a country code of ISO 3166-1 alpha-2, such as "
                'DE = "1234567"; found "Germany". Did you mean DE?'
            )
        ],
    ),
    "a column of a country without countries": (
        '[location]\nallowed = ["1234567"]\nowner_country = "Owner.CountryCode"',
        [
            (
                "line 4: location.owner_country: this key says where the country of the owner is, and the table "
                "countries is missing. Add it, or remove this key."
            )
        ],
    ),
    "a column that somebody else has": (
        '[location]\nallowed = ["1234567"]\ncolumn = "audit__c"',
        [
            (
                "line 4: location.column: expected a column that is not the connector's own; found audit__c, which "
                "ours.audit names."
            )
        ],
    ),
    "a column that a field maps": (
        '[location]\nallowed = ["1234567"]\ncolumn = "campaign_x__c"\n[fields.campaign]\nsalesforce = "Campaign_X__c"',
        [
            (
                "line 4: location.column: expected a column that no field maps; found campaign_x__c, which "
                "fields.campaign maps. Choose another column."
            )
        ],
    ),
    "a key with a typing error": (
        '[location]\nallowed = ["1234567"]\ncoulmn = "Partner_Location__c"',
        [
            (
                "line 4: location.coulmn: this key is not known; expected one of allowed, column, countries, "
                "owner_country, default. Did you mean column?"
            )
        ],
    ),
    "a location for a table": (
        'location = "1234567"',
        [
            (
                "line 2: location: expected a table with the keys allowed, column, countries, owner_country, default; "
                'found "1234567".'
            )
        ],
    ),
}
