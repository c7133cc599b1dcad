"""What everybody may ask for in a while, and that nobody waits for Valkey to find out."""

from __future__ import annotations

import socket
import threading
import time
from uuid import uuid4

import pytest
import redis
from pytest_django import DjangoAssertNumQueries, Settings

from config import graphql_budget, valkey
from config.graphql_budget import network
from config.graphql_limits import MAX_COST
from matching.retrieval.breaker import Breaker
from tests.config.graphql_client import Asker
from tests.marketplace.factories import a_user

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("budget")]

CHEAP = "{ __typename }"
BUDGET = 2 * MAX_COST


@pytest.fixture(autouse=True)
def empty(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Buckets that are full, and small."""
    settings.GRAPHQL_REQUESTS_PER_MINUTE, settings.GRAPHQL_COST_PER_MINUTE = 3, BUDGET
    monkeypatch.setattr(valkey, "breaker", Breaker(failures=2, pause=60.0, longest_pause=60.0))
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        for key in client.scan_iter("muster:budget:*"):
            client.delete(key)


def test_an_answer_tells_what_it_cost_and_what_is_left() -> None:
    budget = Asker(a_user()).answer("{ opportunities(first: 5) { nodes { id } } }")["extensions"]["budget"]
    cost = budget["cost"]
    assert cost == 10 + 5 * 2
    assert budget == {"cost": cost, "remainingCost": BUDGET - cost, "remainingRequests": 2, "perSeconds": 60}


def test_who_asks_too_often_is_told_when_to_come_back() -> None:
    asker = Asker(a_user())
    assert [asker.post({"query": CHEAP}).status_code for _ in range(3)] == [200] * 3
    refused = asker.post({"query": CHEAP})
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 20  # a third of a minute brings one of three
    [error] = refused.json()["errors"]
    assert error["extensions"]["code"] == "TOO_MANY_REQUESTS"
    assert error["extensions"]["retryAfterSeconds"] == int(refused.headers["Retry-After"])
    assert refused.json()["extensions"]["budget"]["remainingRequests"] == 0


def test_who_asks_for_too_much_is_refused_before_anything_is_looked_up(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    much = "{ opportunities(first: 100) { nodes { applications(first: 90) { nodes { id } } } } }"
    asker = Asker()
    assert {asker.post({"query": much}).status_code for _ in range(2)} == {200}
    with django_assert_num_queries(0):
        refused = asker.post({"query": much})
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert asker.post({"query": CHEAP}).status_code == 200, "what is left is enough for less"


def test_what_is_refused_for_its_own_cost_takes_next_to_nothing() -> None:
    query = "{ opportunities(first: 100) { nodes { applications(first: 100) { nodes { id stage } } } } }"
    answer = Asker().answer(query)
    assert answer["errors"][0]["extensions"]["code"] == "QUERY_TOO_LARGE"
    assert answer["extensions"]["budget"]["remainingCost"] == BUDGET - 1


def test_what_was_spent_comes_back_with_time(settings: Settings) -> None:
    asker = Asker()
    name = "muster:budget:address:127.0.0.1"
    assert [asker.post({"query": CHEAP}).status_code for _ in range(4)] == [200, 200, 200, 429]
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.hincrby(name, "at", -20_000)  # as if that had been twenty seconds earlier
        assert asker.post({"query": CHEAP}).status_code == 200
        assert asker.post({"query": CHEAP}).status_code == 429
        client.hincrby(name, "at", -600_000)
        left = asker.answer(CHEAP)["extensions"]["budget"]["remainingRequests"]
        assert left == 2, "no more than a minute's worth is saved up"
        assert 0 < client.pttl(name) <= 60_000, "who is away for a minute leaves nothing behind"


def test_budgets_are_a_persons_own() -> None:
    one, other = Asker(a_user()), Asker(a_user())
    for _ in range(4):
        one.post({"query": CHEAP})
    assert one.post({"query": CHEAP}).status_code == 429
    assert other.post({"query": CHEAP}).status_code == 200
    assert Asker().post({"query": CHEAP}).status_code == 200


def test_without_a_login_the_address_counts() -> None:
    assert {Asker().post({"query": CHEAP}).status_code for _ in range(3)} == {200}
    assert Asker().post({"query": CHEAP}).status_code == 429
    elsewhere = Asker().post({"query": CHEAP}, REMOTE_ADDR="192.0.2.7")
    assert elsewhere.status_code == 200


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("no address", "unknown"),
    ],
)
def test_of_ipv6_the_network_counts(address: str, counted: str) -> None:
    assert network(address) == counted


def test_of_many_who_ask_at_once_as_many_are_granted_as_there_are() -> None:
    name, granted = f"user:{uuid4()}", []
    threads = [
        threading.Thread(target=lambda: granted.append(graphql_budget._take(name, 1, 5, BUDGET).is_granted))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(granted) == [False] * 7 + [True] * 5


def test_without_valkey_everybody_is_let_through_and_soon_without_asking(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    asker = Asker()
    for _ in range(6):
        answer = asker.post({"query": CHEAP})
        assert answer.status_code == 200
        assert "budget" not in answer.json().get("extensions", {})
    assert not valkey.breaker.admits(time.monotonic())


def test_a_valkey_that_stalls_is_not_waited_for(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        asker = Asker()
        started = time.monotonic()
        assert {asker.post({"query": CHEAP}).status_code for _ in range(20)} == {200}
        assert time.monotonic() - started < 3 * (2 * valkey.TIMEOUT_SECONDS + 0.5)
