# allauth, to sign tokens, reaches this module through a lazy stand-in that fails where its parent was imported first.
import cryptography.hazmat.primitives.serialization  # noqa: F401
from django.apps import AppConfig

from accounts.login import addresses

addresses.watch()


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.login import auditing, counting, identities, second_factors  # noqa: F401 - they listen to logins
        from accounts.queries.instants import read_instants_fast

        read_instants_fast()
