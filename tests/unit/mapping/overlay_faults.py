"""Faults of a mapping file that extends the default, and their sentences."""

from collections.abc import Mapping

TYPES = "attribute, company, contacts, date, money, notes, sales_stage, seller, size, solutions, status, text"
STATUSES = (
    "New/Pending, New/Received, Active/Accepted, Closed/Declined, Closed/Error, Closed/Expired, Closed/Lost, Closed/Won"
)
A_COLUMN = "a column of the opportunity, such as Amount or Account.Name"
NEEDED = "because no referral can be created without this field"

# Each fault: what an overlay contains below its first line, and the sentences after the name of the file.
OVERLAY_FAULTS: Mapping[str, tuple[str, list[str]]] = {
    "a value that is not one of a few": (
        '[fields.money]\ndirection = "sideways"',
        [
            (
                "line 3: fields.money.direction: expected one of both, to_salesforce, to_partner_center, off; "
                'found "sideways".'
            )
        ],
    ),
    "a value that is nearly right": (
        '[fields.money]\ndirection = "To-Salesforce"\nwinner = "salesforc"',
        [
            (
                "line 3: fields.money.direction: expected one of both, to_salesforce, to_partner_center, off; "
                'found "To-Salesforce". Did you mean to_salesforce?'
            ),
            (
                'line 4: fields.money.winner: expected partner_center or salesforce; found "salesforc". '
                "Did you mean salesforce?"
            ),
        ],
    ),
    "a text for a list": (
        '[fields.notes]\nwhen = "create"\nclearable = "salesforce"',
        [
            (
                "line 3: fields.notes.when: expected a list in [ ], where each text is create or update; "
                'found "create". Did you mean ["create"]?'
            ),
            (
                "line 4: fields.notes.clearable: expected a list in [ ], where each text is partner_center or "
                'salesforce; found "salesforce". Did you mean ["salesforce"]?'
            ),
        ],
    ),
    "a text for a list with one possible value": (
        '[fields.account]\nwhen = "create"',
        ['line 3: fields.account.when: expected ["create"]; found "create". Did you mean ["create"]?'],
    ),
    "a text for a list of statuses": (
        'stages = [{ name = "Waiting", status = "New/Pending", also = "New/Received" }]',
        [
            (
                f"line 2: stages.0.also: expected a list in [ ], where each text is one of {STATUSES}; "
                'found "New/Received". Did you mean ["New/Received"]?'
            ),
            (
                "line 2: stages: expected a stage for every status; no stage shows New/Received, Active/Accepted, "
                "Closed/Declined, Closed/Error, Closed/Expired, Closed/Lost, Closed/Won. Add it to `also` of a stage."
            ),
        ],
    ),
    "a text for a number": (
        '[fields.notes]\nlength = "long"',
        ['line 3: fields.notes.length: expected a whole number above 0; found "long".'],
    ),
    "a number that is not whole": (
        "[fields.notes]\nlength = 1.5",
        ["line 3: fields.notes.length: expected a whole number above 0; found 1.5."],
    ),
    "a number that is too low": (
        "[fields.notes]\nlength = 0",
        ["line 3: fields.notes.length: expected a whole number above 0; found 0."],
    ),
    "a number for a text": (
        "[fields.notes]\nlabel = 3",
        ["line 3: fields.notes.label: expected a text in quotation marks that is not empty; found a number."],
    ),
    "a truth value for a text": (
        "[fields.notes]\nlabel = true",
        ["line 3: fields.notes.label: expected a text in quotation marks that is not empty; found true."],
    ),
    "a date for a text": (
        "[fields.notes]\nlabel = 2026-01-31",
        ["line 3: fields.notes.label: expected a text in quotation marks that is not empty; found a date or a time."],
    ),
    "a list for a text": (
        '[fields.notes]\nlabel = ["Notes"]',
        ['line 3: fields.notes.label: expected a text in quotation marks that is not empty; found ["Notes"].'],
    ),
    "an empty label": (
        '[fields.notes]\nlabel = ""',
        ["line 3: fields.notes.label: expected a text in quotation marks that is not empty; found an empty text."],
    ),
    "an empty path and an empty column": (
        '[fields.notes]\nreferral = ""\nsalesforce = ""',
        [
            (
                "line 3: fields.notes.referral: expected a path in the referral, such as /details/dealValue; "
                "found an empty text."
            ),
            (f"line 4: fields.notes.salesforce: expected {A_COLUMN}; found an empty text."),
        ],
    ),
    "a path with dots and a column with slashes": (
        '[fields.notes]\nreferral = "details.notes"\nsalesforce = "/Description"\n',
        [
            (
                "line 3: fields.notes.referral: expected a path in the referral, such as /details/dealValue; "
                'found "details.notes". Did you mean /details/notes?'
            ),
            (f'line 4: fields.notes.salesforce: expected {A_COLUMN}; found "/Description". Did you mean Description?'),
        ],
    ),
    "a phone number without quotation marks, which is not shown": (
        "[fields.team]\ndefault_phone = 4550000000",
        [
            (
                "line 3: fields.team.default_phone: expected a text in quotation marks of at most 40 characters; "
                "found a number."
            )
        ],
    ),
    "a phone number that is too long, which is not shown": (
        f'[fields.team]\ndefault_phone = "{"5" * 41}"',
        [
            (
                "line 3: fields.team.default_phone: expected a text in quotation marks of at most 40 characters; "
                "found a text of 41 characters."
            )
        ],
    ),
    "a key that is not known, and the nearest one": (
        "[fields.notes]\nlenght = 100",
        [
            (
                "line 3: fields.notes.lenght: this key is not known; expected one of label, direction, when, winner, "
                "clearable, optional, referral, salesforce, type, length. Did you mean length?"
            )
        ],
    ),
    "a key that is not known, beside the one that is": (
        "[fields.notes]\nlength = 100\nlenght = 100",
        [
            (
                "line 4: fields.notes.lenght: this key is not known; expected one of label, direction, when, winner, "
                "clearable, optional, referral, salesforce, type, length."
            )
        ],
    ),
    "tables that are not known": (
        '[field.money]\nwinner = "salesforce"\n[our]\nflag = "Flag__c"\n[[stage]]\nname = "Won"',
        [
            f"line {line}: {key}: this key is not known; expected one of version, ours, fields, stages, owners, "
            f"notify_owner, new, lead, location, extends, remove. "
            f"Did you mean {meant}?"
            for line, key, meant in ((2, "field", "fields"), (4, "our", "ours"), (6, "stage", "stages"))
        ],
    ),
    "a part of an inline table": (
        'fields.money.salesforce = { currncy = "CurrencyIsoCode" }',
        [
            (
                "line 2: fields.money.salesforce.currncy: this key is not known; expected one of amount, currency, "
                "fixed_currency. Did you mean currency?"
            )
        ],
    ),
    "a type that is not known": (
        '[fields.notes]\ntype = "note"\nlength = 0',
        [
            f'line 3: fields.notes.type: expected one of {TYPES}; found "note". Did you mean notes?',
            "line 4: fields.notes.length: expected a whole number above 0; found 0.",
        ],
    ),
    "a type that is far from any": (
        '[fields.notes]\ntype = "gold"',
        [f'line 3: fields.notes.type: expected one of {TYPES}; found "gold".'],
    ),
    "a type that is not a text": (
        "[fields.notes]\ntype = []",
        [f"line 3: fields.notes.type: expected one of {TYPES}; found an empty list."],
    ),
    "a field without a type": (
        '[fields.region]\nlabel = "Campaign"',
        [f"line 2: fields.region.type: this key is missing; expected one of {TYPES}."],
    ),
    "a field with a wrong name": (
        '[fields.mony]\nwinner = "salesforce"',
        [
            (
                f"line 2: fields.mony.type: this key is missing; expected one of {TYPES}. "
                "Did you mean the table fields.money?"
            )
        ],
    ),
    "a required field of another type": (
        '[fields.closing]\ntype = "text"\nwinner = ""',
        [
            f'line 3: fields.closing.type: expected date, {NEEDED}; found "text".',
            "line 4: fields.closing.winner: expected partner_center or salesforce; found an empty text.",
        ],
    ),
    "a value for a table": (
        "[fields]\nmoney = 3",
        ["line 3: fields.money: expected a table with the keys of a field; found 3."],
    ),
    "values for all tables": (
        'fields = 3\nours = []\nstages = "x"\nversion = 2',
        [
            "line 2: fields: expected a table for each field, such as [fields.money]; found 3.",
            (
                "line 3: ours: expected a table with the keys flag, identifier, link, status, audit, help, "
                "partner_center_amount, partner_center_currency, reason, reason_details, visible, notes_to_microsoft, "
                "consents, answer_by, microsoft_status, microsoft_crm_identifier, microsoft_seller, microsoft_notes, "
                "microsoft_answer_by; found an empty list."
            ),
            'line 4: stages: expected at least one [[stages]] table; found "x".',
            "line 5: version: expected 1; found 2.",
        ],
    ),
    "one path for a field with several": (
        '[fields.money]\nreferral = "/details/dealValue"',
        ['line 3: fields.money.referral: expected a table with the keys amount, currency; found "/details/dealValue".'],
    ),
    "rates that are none": (
        '[fields.money.convert]\nto = "USD"\nrates = { EUR = 0 }',
        ["line 4: fields.money.convert.rates.EUR: expected a number above 0; found 0."],
    ),
    "a rate in quotation marks, and no rates": (
        '[fields.money.convert]\nto = "Euro"\nrates = { EUR = "many" }',
        [
            (
                "line 3: fields.money.convert.to: expected a currency code of ISO 4217, such as EUR; "
                'found "Euro". Did you mean EUR?'
            ),
            'line 4: fields.money.convert.rates.EUR: expected a number above 0; found "many".',
        ],
    ),
    "a conversion without rates": (
        '[fields.money.convert]\nto = "USD"\nrates = {}',
        [
            (
                "line 4: fields.money.convert.rates: expected a table of rates, such as { EUR = 1.08 }; "
                "found an empty table."
            )
        ],
    ),
    "a conversion that is no table": (
        "[fields.money]\nconvert = true",
        ["line 3: fields.money.convert: expected a table with the keys to, rates; found true."],
    ),
    "a rate for an unknown currency": (
        '[fields.money.convert]\nto = "USD"\nrates = { EURO = 1.08 }',
        ["line 2: fields.money.convert: expected rates for currency codes of ISO 4217, such as EUR; found EURO."],
    ),
    "a required field that is switched off": (
        '[fields.team]\ndirection = "off"\n[fields.status]\ndirection = "off"\n[fields.money]\nwhen = ["update"]',
        [
            f'line 3: fields.team.direction: expected both or to_partner_center, {NEEDED}; found "off".',
            (
                f"line 5: fields.status.direction: expected one of both, to_salesforce, to_partner_center, {NEEDED}; "
                'found "off".'
            ),
            f'line 7: fields.money.when: expected a list with create, {NEEDED}; found ["update"].',
        ],
    ),
    "a column of a parent": (
        '[fields.notes]\nsalesforce = "Account.Description"',
        [
            (
                "line 3: fields.notes.salesforce: expected a column of the opportunity itself, because a column of "
                'another record cannot be written; found Account.Description. Set direction = "to_partner_center", or '
                "choose another column."
            )
        ],
    ),
    "a column of the connector": (
        '[fields.notes]\nsalesforce = "Audit__c"',
        [
            (
                "line 3: fields.notes.salesforce: expected a column that is not the connector's own; "
                "found Audit__c, which ours.audit names."
            )
        ],
    ),
    "a column of the connector that the default file maps": (
        '[ours]\naudit = "Description"',
        ["line 3: ours.audit: expected a column that no field maps; found Description, which fields.notes maps."],
    ),
    "no stage at all": (
        "stages = []",
        ["line 2: stages: expected at least one [[stages]] table; found an empty list."],
    ),
}
