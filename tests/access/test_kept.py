"""Of all that strangers may ask for, nothing that is anybody's is kept for others."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis
from pytest_django import Settings

from accounts.actions.table_states import begin_states
from accounts.queries.table_states import told_tables
from tests.access.asking import node_document
from tests.access.matrix import matrix
from tests.access.world import SECRET, World
from tests.config.graphql_client import Asker

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("access")]


def test_only_what_is_public_is_kept(world: World, asking: Callable[[str], Asker], settings: Settings) -> None:
    """A row of each type, with every field: asked for again and again it is the same, and what is kept of it is what
    the matrix lets everybody read."""
    settings.GRAPHQL_KEPT_SECONDS = 60
    begin_states(told_tables())
    kept, shown = redis.Redis.from_url(settings.REDIS_URL), set()
    for key in kept.scan_iter("muster:explored*"):
        kept.delete(key)
    stranger = asking("anonymous")
    for kind, access in matrix().node.items():
        query = node_document(kind, matrix().is_guarded)
        one = max(world.of(kind), key=lambda one: access.allows("anonymous", one))
        answers = [stranger.answer(query, id=one.id) for _ in range(2)]
        assert answers[0] == answers[1]
        if answers[0]["data"]["node"] is not None:
            shown.add(kind)
    found = [kept.get(key) for key in kept.scan_iter("muster:explored:*")]
    texts = [one.decode() for one in found if isinstance(one, bytes)]
    assert not [one for one in texts if SECRET in one]
    everybodys = [one for one in texts if '{"node":null}' not in one]
    assert len(everybodys) == len(shown), "what strangers are shown of a row is kept, whatever they ask of it"
    assert shown == {kind for kind, one in matrix().node.items() if "anonymous" in one.cells[""]["other"]}
