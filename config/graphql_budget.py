"""What everybody may ask for in a while: so many requests, and so much of what they cost.

Two buckets for each principal, a person or, for those who are not logged in, an address. They fill evenly, hold what a
minute brings, and lie in Valkey, so that all processes take from the same ones. Where Valkey does not answer everybody
is let through: this keeps the house quiet, it guards nothing. (Attempts to log in are counted in Postgres.)
"""

import ipaddress
import math
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.http import HttpRequest

from accounts.api.context import Context
from config import valkey
from config.graphql_limits import MAX_COST
from config.graphql_request import BadRequest

PERIOD_SECONDS = 60

# One step, so that two who ask at once do not both take the last. Times are Valkey's own; a bucket that is full again
# is as good as none. Answers whether it was granted, what is left of either, and in how many milliseconds there is
# enough.
_TAKE = """
local wanted = {1, tonumber(ARGV[1])}
local holds = {tonumber(ARGV[2]), tonumber(ARGV[3])}
local period = tonumber(ARGV[4]) * 1000
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local held = redis.call('HMGET', KEYS[1], 'at', 'requests', 'cost')
local since = math.max(0, now - (tonumber(held[1]) or 0))
local left, wait = {}, 0
for i = 1, 2 do
  local before = tonumber(held[i + 1]) or holds[i]
  left[i] = math.min(holds[i], before + since * holds[i] / period)
  wait = math.max(wait, math.ceil((wanted[i] - left[i]) * period / holds[i]))
end
if wait <= 0 then
  for i = 1, 2 do left[i] = left[i] - wanted[i] end
  redis.call('HSET', KEYS[1], 'at', now, 'requests', tostring(left[1]), 'cost', tostring(left[2]))
  redis.call('PEXPIRE', KEYS[1], period)
end
return {wait <= 0 and 1 or 0, math.floor(left[1]), math.floor(left[2]), math.max(0, wait)}
"""


@dataclass(frozen=True)
class Budget:
    """What is left after a request, or before one that is too much."""

    is_granted: bool
    requests: int
    cost: int
    wait_ms: int

    def told(self, cost: int) -> dict[str, Any]:
        """For the answer's extensions."""
        return {
            "cost": cost,
            "remainingCost": self.cost,
            "remainingRequests": self.requests,
            "perSeconds": PERIOD_SECONDS,
        }


def spend(context: Context, cost: int) -> None:
    """Take a request's cost from its principal's budget, and have the answer tell what is left.

    Raises BadRequest (429, with Retry-After) where there is not enough.
    """
    requests, most = settings.GRAPHQL_REQUESTS_PER_MINUTE, settings.GRAPHQL_COST_PER_MINUTE
    if not requests:
        return
    # At least what one request may cost, introspection beside the rest: it could never be asked otherwise.
    budget = _take(principal(context), cost, requests, max(most, 2 * MAX_COST))
    if budget is None:
        return
    told = budget.told(cost)
    if not budget.is_granted:
        raise BadRequest(
            "You have asked for too much in a short time.",
            HTTPStatus.TOO_MANY_REQUESTS,
            details={"retryAfterSeconds": math.ceil(budget.wait_ms / 1000)},
            extensions={"budget": told},
            headers={"Retry-After": str(math.ceil(budget.wait_ms / 1000))},
        )
    context.extensions["budget"] = lambda: told


def principal(context: Context) -> str:
    """Whose budget it is: the person's, or the address's. Of IPv6 the network's, of which a household has 2^64."""
    if context.actor.user_id is not None:
        return f"user:{context.actor.user_id}"
    return f"address:{network(address_of(context.request))}"


def address_of(request: HttpRequest) -> str:
    """Where the client is, as far as trusted proxies say."""
    address: str = get_adapter(request).get_client_ip(request)
    return address


def network(address: str) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 else str(ip)


def _take(name: str, cost: int, requests: int, most: int) -> Budget | None:
    """None where Valkey does not answer."""
    keys, args = [f"muster:budget:{name}"], [cost, requests, most, PERIOD_SECONDS]
    taken: list[int] | None = valkey.asked(lambda client: client.register_script(_TAKE)(keys=keys, args=args))
    if taken is None:
        return None
    granted, *rest = taken
    return Budget(bool(granted), *rest)
