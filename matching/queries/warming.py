"""What a web server has ready in memory before anybody asks."""

from __future__ import annotations

import logging

from django.db import connection
from django.utils import timezone

from marketplace.queries.rates import current_rate_set
from matching.queries.open_rules import OPEN_RULES
from matching.queries.roster import keeper

logger = logging.getLogger(__name__)


def warm_up() -> None:
    """Build the index of open rules, and have the roster built, which the first who asks would wait for: half a minute
    each in a large market. For a thread of its own; whatever hinders it is logged, and built when it is needed."""
    on = timezone.now().date()
    try:
        OPEN_RULES.judge([], on=on, rate_set=current_rate_set(on=on))
        keeper.crowd()
    except Exception:
        logger.warning("The indexes in memory are not built yet", exc_info=True)
    finally:
        connection.close()
