"""What can be followed while it happens."""

from collections.abc import AsyncGenerator
from typing import Annotated, Any

import strawberry
from django.conf import settings
from django.utils import timezone

from accounts.api.connections import FIRST, Connection, page_size
from accounts.api.context import Context, Info
from accounts.api.nodes import public_id
from accounts.api.peers import together
from accounts.api.watching import Watch, in_thread
from matching.access import access_run
from matching.api.allocation import AllocationRunType
from matching.api.matches import MatchType, matches_asked_for, matches_page
from matching.core.workflow import RunState
from matching.queries.matches import heads
from matching.queries.progress import versions

_runs: Watch[int] = Watch(versions, pause_seconds=settings.STREAM_LOOK_SECONDS)
_heads: Watch[tuple[int, int]] = Watch(heads, pause_seconds=settings.STREAM_LOOK_SECONDS)


@strawberry.type
class MatchingSubscription:
    @strawberry.subscription(
        description=(
            "A run that waits or is being solved: now, and whenever there is something new to tell, until it is"
            " planned, discarded or has failed; then it ends."
        )
    )
    async def allocation_progress(
        self, info: Info, run: Annotated[strawberry.ID, strawberry.argument(description="Which, by id.")]
    ) -> AsyncGenerator[AllocationRunType, None]:
        run_id = public_id(run, "AllocationRun", field="run")
        found = await in_thread(access_run, info.context.actor, run_id)
        async for _ in _runs.changes(found.pk):
            # Through the door each time: whoever is no longer let in is told nothing more.
            found = await in_thread(access_run, info.context.actor, run_id)
            [row] = together([found])
            yield row  # type: ignore[misc]
            if found.state not in (RunState.QUEUED, RunState.SOLVING):
                return

    @strawberry.subscription(
        description=(
            "Who suits an opportunity best, best first: now, and whenever the first of them, or their scores, have"
            " changed. Each event is the first page of `matches` as it stands. For those who recruit for it; ends for"
            " whoever no longer does."
        )
    )
    async def matches(
        self,
        info: Info,
        opportunity: Annotated[strawberry.ID, strawberry.argument(description="Which, by id.")],
        first: Annotated[int | None, FIRST] = None,
    ) -> AsyncGenerator[Connection[MatchType], None]:
        size = page_size(first)
        found = await in_thread(matches_asked_for, info.context, opportunity)
        async for _ in _heads.changes((found.pk, size)):
            yield await in_thread(_first_matches, info.context, opportunity, size)


def _first_matches(context: Context, opportunity: str, size: int) -> Any:
    """Through the door each time, as whoever asks is let in now."""
    context.begin(timezone.now())
    return matches_page(context, matches_asked_for(context, opportunity), first=size, after=None)
