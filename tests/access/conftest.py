"""One world for all tests of this folder: each takes back only what is its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from tests.access.world import World
from tests.config.graphql_client import Asker


@pytest.fixture(scope="package")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield World()
        transaction.set_rollback(True)


@pytest.fixture(scope="package")
def asking(world: World) -> Callable[[str], Asker]:
    """Everybody who asks, by name."""
    askers = {name: Asker(user) for name, user in world.users().items()}
    return askers.__getitem__
