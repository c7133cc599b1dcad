"""What can be followed while it happens."""

from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry
from django.conf import settings

from accounts.api.context import Info
from accounts.api.nodes import public_id
from accounts.api.peers import together
from accounts.api.watching import Watch, in_thread
from matching.access import access_run
from matching.api.allocation import AllocationRunType
from matching.core.workflow import RunState
from matching.queries.progress import versions

_runs: Watch[int] = Watch(versions, pause_seconds=settings.STREAM_LOOK_SECONDS)


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
