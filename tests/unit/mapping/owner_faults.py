"""Faults of the owner rules in a mapping file that extends the default, and their sentences."""

from collections.abc import Mapping

# As in `overlay_faults.py`.
OWNER_FAULTS: Mapping[str, tuple[str, list[str]]] = {
    "an owner rule of an unknown kind": (
        '[[owners]]\nby = "countries"\nusers = { DE = "anna@example.com" }',
        [
            (
                "line 3: owners.0.by: expected one of country, region, account_owner, microsoft_seller, our_seller, "
                'user; found "countries". Did you mean country?'
            )
        ],
    ),
    "an owner rule without a kind": (
        '[[owners]]\nuser = "anna@example.com"',
        [
            (
                "line 2: owners.0.by: this key is missing; expected one of country, region, account_owner, "
                "microsoft_seller, our_seller, user."
            )
        ],
    ),
    "an owner rule for an unknown country": (
        '[[owners]]\nby = "country"\nusers = { UK = "anna@example.com" }',
        [
            (
                "line 4: owners.0.users.UK: expected a country code of ISO 3166-1 alpha-2, such as "
                'DE = "anna@example.com"; found "UK". Did you mean GB?'
            )
        ],
    ),
    "an owner rule for no state": (
        '[[owners]]\nby = "region"\nusers = { WA = "anna@example.com" }',
        [
            (
                "line 4: owners.0.users.WA: expected a country code and a state, such as "
                'US-WA = "anna@example.com"; found "WA".'
            )
        ],
    ),
    "an owner rule for a seller who is no address": (
        '[[owners]]\nby = "our_seller"\nusers = { Ann = "anna@example.com" }',
        [
            (
                "line 4: owners.0.users.Ann: expected an e-mail address of a seller of ours, such as "
                '"ann@example.com" = "anna@example.com"; found "Ann".'
            )
        ],
    ),
    "an owner rule without what it looks up": (
        '[[owners]]\nby = "country"\n[[owners]]\nby = "user"',
        [
            (
                'line 2: owners.0: the key users is missing; by = "country" expects a country code of '
                'ISO 3166-1 alpha-2, such as DE = "anna@example.com" in it.'
            ),
            'line 4: owners.1: the key user is missing; by = "user" expects user = "anna@example.com".',
        ],
    ),
    "an owner rule with a key of another one": (
        '[[owners]]\nby = "account_owner"\nuser = "anna@example.com"\nusers = { DE = "anna@example.com" }',
        [
            'line 4: owners.0.user: this key belongs to by = "user"; found by = "account_owner". Remove it.',
            'line 5: owners.0.users: this key does not belong to by = "account_owner". Remove it.',
        ],
    ),
    "two owner rules alike": (
        '[[owners]]\nby = "account_owner"\n[[owners]]\nby = "account_owner"',
        [
            (
                "line 4: owners.1: expected each owner rule once; found account_owner again, after line 2. "
                "Remove one of the two."
            )
        ],
    ),
    "one country in two owner rules": (
        (
            '[[owners]]\nby = "country"\nusers = { DE = "anna@example.com" }\n'
            '[[owners]]\nby = "country"\nusers = { AT = "bert@example.com", de = "bert@example.com" }'
        ),
        [
            (
                'line 7: owners.1.users.de: expected each owner rule once; found "de" again, after line 4. '
                "Remove one of the two."
            )
        ],
    ),
    "an owner who is no text": (
        '[[owners]]\nby = "user"\nuser = 5',
        ["line 4: owners.0.user: expected a user of Salesforce, by user name or e-mail address; found a number."],
    ),
    "one owner rule in place of a list": (
        '[owners]\nby = "user"',
        ["line 2: owners: expected a list of tables [[owners]]; found a table."],
    ),
    "an unknown way to tell the owner": (
        'notify_owner = "mail"',
        ['line 2: notify_owner: expected one of notification, task, none; found "mail".'],
    ),
}
