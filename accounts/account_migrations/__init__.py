"""allauth's migrations of its addresses, and after them ours, which seals these: `accounts.login.addresses`.

Where allauth brings another one, `makemigrations --merge` joins the two.
"""

import allauth.account.migrations

__path__ = [*__path__, *allauth.account.migrations.__path__]
