"""Days and clocks, at the ends of the calendar too."""

from __future__ import annotations

from datetime import date

import pytest

from matching.core.clock import months_before, utc_offset_minutes


@pytest.mark.parametrize("on", [date.min, date.max])
@pytest.mark.parametrize("timezone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin"])
def test_every_day_of_the_calendar_has_an_offset(timezone: str, on: date) -> None:
    assert utc_offset_minutes(timezone, on) is not None


def test_months_do_not_lead_out_of_the_calendar() -> None:
    assert months_before(date.min, 1) == date.min
    assert months_before(date(2027, 3, 31), 1) == date(2027, 2, 28)
