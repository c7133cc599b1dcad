"""Improving an assignment of seats to people with hours by chains: a seat moves to somebody, who gives one up, and on.

A chain ends with somebody who gives up nothing, or closes with whoever gave up the first seat. Hours may be overrun at
a penalty an hour; as each person appears once in a chain, what it changes is the sum over its links, so the best chain
from a seat is found link by link (cyclic exchanges: Thompson and Orlin 1989; ejection chains for this problem: Yagiura,
Ibaraki and Glover 2004). Local optima are left by a few random moves and accepted as in annealing (iterated local
search); the penalty rises while hours are overrun and falls while they are not.

Seats go to people 0 … m − 1, each with a `room` of hours, or to nobody, m, who has room for everything and gives
nothing up. Values and penalties are in 1 / UNIT. Integer arithmetic on one thread: the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from matching.core.allocation.packing import draw, patience
from matching.core.allocation.problem import Integers

UNIT = 16
LIKELY = 7  # people whom a seat is mostly offered to, nobody among them
LINKS = 10  # of a chain, at most
CELLS = 4_000_000  # people times seats, beyond which there are no chains
WORK_AN_EDGE, LEAST_WORK, MOST_WORK = 300_000, 5_000_000, 4_000_000_000
_BLOCKS = 240  # each at one heat
_HOTTEST, _COLDEST = 0.5, 0.3  # in what the likely differ by; and in the end, of the first heat
_FAR = 1 << 60
_compiled: Any = njit(cache=True, nogil=True)

# Where the numbers of a state are.
VALUE, OVER, BEST, PENALTY, LEAST_PENALTY, MOST_PENALTY, KEPT, ROUND, WORK = range(9)


def improve(
    value: Integers,
    hours: Integers,
    room: Integers,
    hour_price: Integers,
    holder: Integers,
    *,
    ended: Callable[[int, int], bool],
) -> tuple[int, Integers]:
    """The best value found from an assignment that overruns nothing, and who has which seat then.

    `value`, `hours`: people × seats, hours beyond any room where a person cannot take a seat; `room` of each person,
    and about what an hour of theirs is worth in 1 / 1024; `holder` of each seat, m: nobody. `ended(work, best)` is told
    of the work since it was last asked and of the best value so far, and says whether to stop.
    """
    people, seats = value.shape
    worth = value * 1024 - hour_price[:, None] * hours
    worth = np.where(hours <= room[:, None], worth, -_FAR)
    count = min(LIKELY, people)
    likely = np.full((seats, count + 1), people, dtype=np.int64)
    first = np.argsort(-worth, axis=0, kind="stable")[:count]
    likely[:, :count] = np.where(np.take_along_axis(worth, first, axis=0) > -_FAR, first, people).T
    heat = _differences(worth, count)
    # Nobody has room for everything, and adds nothing.
    value = np.vstack([value * UNIT, np.zeros((1, seats), dtype=np.int64)])
    hours = np.vstack([hours, np.zeros((1, seats), dtype=np.int64)])
    room = np.append(room, _FAR)

    load, held = np.zeros(people + 1, dtype=np.int64), np.zeros(people + 1, dtype=np.int64)
    of = np.empty((people + 1, seats), dtype=np.int32)
    place, holder = np.empty(seats, dtype=np.int64), holder.copy()
    for seat, one in enumerate(holder.tolist()):
        load[one] += hours[one, seat]
        of[one, held[one]], place[seat] = seat, held[one]
        held[one] += 1
    best = holder.copy()
    state = np.zeros(9, dtype=np.int64)
    price = max(int(np.median(hour_price)) * UNIT // 1024, 1)
    state[VALUE] = state[BEST] = int(value[holder, np.arange(seats)].sum())
    state[PENALTY], state[LEAST_PENALTY], state[MOST_PENALTY] = 3 * price + 1, price // 2 + 1, 256 * price
    random = np.array([0x9E3779B97F4A7C15], dtype=np.uint64)
    label = np.full((LINKS + 1, seats), -_FAR, dtype=np.int64)
    before, active = np.empty((LINKS + 1, seats), dtype=np.int32), np.empty((LINKS + 1, seats), dtype=np.int32)
    queue, queued = np.empty(seats + 1, dtype=np.int64), np.zeros(seats, dtype=np.bool_)
    budget = min(max(WORK_AN_EDGE * int(np.count_nonzero(worth > -_FAR)), LEAST_WORK), MOST_WORK)
    for block in range(_BLOCKS):
        now = int(heat * _HOTTEST * _COLDEST ** (block / _BLOCKS)) + 1
        work = state[WORK]
        iterate(
            value, hours, room, likely, holder, load, held, of, place, label, before, active, queue, queued,
            now, state[WORK] + budget // _BLOCKS, random, state, best,
        )  # fmt: skip
        if ended(int(state[WORK] - work), int(state[BEST]) // UNIT):
            break
    return int(state[BEST]) // UNIT, best


def _differences(worth: Integers, count: int) -> int:
    """By how much the best of a seat's likely people is worth more than the last, on average over both; in 1 / UNIT."""
    top = -np.sort(-worth, axis=0)[:count]
    both = (top[0] > -_FAR) & (top[-1] > -_FAR)
    return int((top[0] - top[-1])[both].sum()) * UNIT // (max(int(both.sum()), 1) * 1024 * max(count - 1, 1)) + 1


@_compiled
def _overrun(load, room):  # type: ignore[no-untyped-def]
    return load - room if load > room else 0


@_compiled
def _move(seat, to, hours, holder, load, held, of, place):  # type: ignore[no-untyped-def]
    """Give a seat to somebody, in all the books."""
    one = holder[seat]
    held[one] -= 1
    last = of[one, held[one]]
    of[one, place[seat]], place[last] = last, place[seat]
    load[one] -= hours[one, seat]
    load[to] += hours[to, seat]
    of[to, held[to]], place[seat] = seat, held[to]
    held[to] += 1
    holder[seat] = to


@_compiled
def _best_chain(  # type: ignore[no-untyped-def]
    first, value, hours, room, likely, holder, load, held, of, penalty, label, before, active, chain, targets
):
    """The chain from a seat that gains most. Writes its seats and where they go; returns the gain, how many, the work.

    `label[l, s]`: the most that a chain of l links gains which takes seat s from its holder, without what the first
    holder's hours add. Chains that gain nothing so far are not followed: some rotation of each good cycle always does.
    """
    people = len(room) - 1
    giver = holder[first]
    over = _overrun(load[giver], room[giver])
    relief = penalty * (over - _overrun(load[giver] - hours[giver, first], room[giver]))
    best, ends, end_link, end_to = 0, -1, -1, -1
    label[0, first], active[0, 0], count, work = 0, first, 1, 0
    links = label.shape[0] - 1
    counts = np.zeros(links + 1, dtype=np.int64)
    counts[0] = 1
    for link in range(links):
        further = 0
        for which in range(count):
            seat = active[link, which]
            gain, one = label[link, seat], holder[seat]
            if link > 0 and hours[giver, seat] <= room[giver]:
                load_then = load[giver] - hours[giver, first] + hours[giver, seat]
                closed = gain + value[giver, seat] - value[one, seat]
                closed += penalty * (over - _overrun(load_then, room[giver]))
                if closed > best:
                    best, ends, end_link, end_to = closed, seat, link, giver
            for option in range(likely.shape[1]):
                to = likely[seat, option]
                if to in (one, giver):
                    continue
                step = gain + value[to, seat] - value[one, seat]
                if to == people:
                    if step + relief > best:
                        best, ends, end_link, end_to = step + relief, seat, link, to
                    continue
                back, at, again = seat, link, False
                while at > 0:
                    if holder[back] == to:
                        again = True
                        break
                    back, at = before[at, back], at - 1
                if again:
                    continue
                work += 1 + held[to]
                load_then, over_now = load[to] + hours[to, seat], _overrun(load[to], room[to])
                ended = step + relief + penalty * (over_now - _overrun(load_then, room[to]))
                if ended > best:
                    best, ends, end_link, end_to = ended, seat, link, to
                if link + 1 == links:
                    continue
                for other in range(held[to]):
                    gone = of[to, other]
                    after = step + penalty * (over_now - _overrun(load_then - hours[to, gone], room[to]))
                    if after + relief > 0 and after > label[link + 1, gone]:
                        if label[link + 1, gone] == -_FAR:
                            active[link + 1, further] = gone
                            further += 1
                        label[link + 1, gone], before[link + 1, gone] = after, seat
        count = further
        counts[link + 1] = further
        if further == 0:
            break
    length = 0
    if ends >= 0:
        length, to, seat = end_link + 1, end_to, ends
        for at in range(end_link, -1, -1):
            chain[at], targets[at] = seat, to
            to = holder[seat]
            if at > 0:
                seat = before[at, seat]
    for link in range(links + 1):
        for which in range(counts[link]):
            label[link, active[link, which]] = -_FAR
    return best, length, work


@_compiled
def _ask(one, held, of, queue, queued, waiting):  # type: ignore[no-untyped-def]
    """Queue the seats of a person."""
    for at in range(held[one]):
        seat = of[one, at]
        if not queued[seat]:
            queued[seat] = True
            queue[waiting] = seat
            waiting += 1
    return waiting


@_compiled
def iterate(  # type: ignore[no-untyped-def]
    value, hours, room, likely, holder, load, held, of, place, label, before, active, queue, queued, heat, until,
    random, state, best
):  # fmt: skip
    """Disturb, improve by chains, keep or take back, until so much work was done. Updates all books and `state`."""
    people, seats = len(room) - 1, len(holder)
    chain, targets = np.empty(label.shape[0] + 1, dtype=np.int64), np.empty(label.shape[0] + 1, dtype=np.int64)
    log_seat, log_from = np.empty(64 * seats + 1000, dtype=np.int64), np.empty(64 * seats + 1000, dtype=np.int64)
    while state[WORK] < until:
        logged, waiting = 0, 0
        for _ in range(1 + np.int64(draw(random) % np.uint64(3))):
            seat = np.int64(draw(random) % np.uint64(seats))
            to = likely[seat, np.int64(draw(random) % np.uint64(likely.shape[1]))]
            one = holder[seat]
            if to == one:
                continue
            if to == people and draw(random) % np.uint64(8) != 0:
                continue
            if to != people and held[to] > 0 and draw(random) % np.uint64(4) != 0:
                other = of[to, np.int64(draw(random) % np.uint64(held[to]))]
                if hours[one, other] <= room[one]:
                    log_seat[logged], log_from[logged] = other, to
                    logged += 1
                    _move(other, one, hours, holder, load, held, of, place)
            log_seat[logged], log_from[logged] = seat, one
            logged += 1
            _move(seat, to, hours, holder, load, held, of, place)
            for changed in (one, to):
                if changed != people:
                    waiting = _ask(changed, held, of, queue, queued, waiting)
            if not queued[seat]:
                queued[seat] = True
                queue[waiting] = seat
                waiting += 1
        while waiting > 0:
            waiting -= 1
            first = queue[waiting]
            queued[first] = False
            gain, length, work = _best_chain(
                first, value, hours, room, likely, holder, load, held, of, state[PENALTY], label, before, active,
                chain, targets,
            )  # fmt: skip
            state[WORK] += work + 1
            if length == 0 or gain <= 0 or logged + length >= len(log_seat):
                continue
            for at in range(length):
                log_seat[logged], log_from[logged] = chain[at], holder[chain[at]]
                logged += 1
                _move(chain[at], targets[at], hours, holder, load, held, of, place)
            for at in range(length):
                for changed in (targets[at], log_from[logged - length + at]):
                    if changed != people:
                        waiting = _ask(changed, held, of, queue, queued, waiting)
            if not queued[first]:
                queued[first] = True
                queue[waiting] = first
                waiting += 1
        total, over = np.int64(0), np.int64(0)
        for at in range(seats):
            total += value[holder[at], at]
        for at in range(people):
            over += _overrun(load[at], room[at])
        state[WORK] += seats // 8
        if over == 0 and total > state[BEST]:
            state[BEST] = total
            for at in range(seats):
                best[at] = holder[at]
        lost = state[VALUE] - total + state[PENALTY] * (over - state[OVER])
        if lost <= 0 or lost <= (heat * patience(random)) >> 10:
            state[VALUE], state[OVER] = total, over
        else:
            for at in range(logged - 1, -1, -1):
                _move(log_seat[at], log_from[at], hours, holder, load, held, of, place)
        state[KEPT] += state[OVER] == 0
        state[ROUND] += 1
        if state[ROUND] % 100 == 0:
            change = max(1, state[PENALTY] // 16)
            if state[KEPT] > 50:
                state[PENALTY] = max(state[LEAST_PENALTY], state[PENALTY] - change)
            elif state[KEPT] < 20:
                state[PENALTY] = min(state[MOST_PENALTY], state[PENALTY] + change)
            state[KEPT] = 0
