"""The loops of generalised assignment, compiled: integer arithmetic on one thread, so every machine gives the same.

Arrays that recur: edges by person, those of i at start[i] … start[i + 1] − 1, with `target` (the opportunity), `value`,
`hours`, `share` (the share that the person is not of, or NONE); `room[i]` hours and `most[i]` placements that a person
has; `limit_start`, `limit_of`: the limits that an opportunity counts towards. Prices are in units of 1 / SCALE.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from matching.core.allocation.kernels import descending

NONE = -1
SCALE = 1024
WIDEST = 20_000  # hours, times placements where these are limited, beyond which a person's best bundle is only bounded
_COMPARED = 32  # seats of one's own, when looking for the one to give away
COPIED = 65_536  # edges up to which each better assignment is copied at once; else after so many moves
_compiled: Any = njit(cache=True, nogil=True)


@_compiled
def best_bundle(items, worth, hours, room, most, chosen):  # type: ignore[no-untyped-def]
    """The most that a person can be worth: of `items` things (positive worths, none longer than the room), at most
    `most` that fit into the room together. Marks them in `chosen`. Returns the worth, exact or an upper bound, and the
    price of an hour that goes with it.
    """
    chosen[:items] = False
    total, needed = 0, 0
    for k in range(items):
        total += worth[k]
        needed += hours[k]
    if most <= 1:
        best = 0
        for k in range(1, items):
            if worth[k] > worth[best]:
                best = k
        if items == 0 or most < 1:
            return 0, 0
        chosen[best] = True
        return worth[best], 0
    if needed <= room and items <= most:
        chosen[:items] = True
        return total, 0
    # The price of an hour: what the first thing that no longer fits is worth by the hour, best by the hour first.
    ratio = np.empty(items, dtype=np.int64)
    for k in range(items):
        ratio[k] = worth[k] // max(1, hours[k])
    order = descending(ratio, items)
    left, price = room, 0
    for place in range(items):
        k = order[place]
        if hours[k] > left:
            price = ratio[k]
            break
        left -= hours[k]
    counted = most < items
    layers = most if counted else 1
    if (room + 1) * layers > WIDEST:
        return _bounded(items, worth, hours, room, most, price, order, chosen), price
    table = np.zeros((layers + 1, room + 1), dtype=np.int64)
    take = np.zeros((items, layers, room + 1), dtype=np.bool_)
    for k in range(items):
        for layer in range(layers, 0, -1):
            below = layer - 1 if counted else layer
            for used in range(room, hours[k] - 1, -1):
                other = table[below, used - hours[k]] + worth[k]
                if other > table[layer, used]:
                    table[layer, used] = other
                    take[k, layer - 1, used] = True
    layer, used = layers, room
    for k in range(items - 1, -1, -1):
        if layer > 0 and take[k, layer - 1, used]:
            chosen[k] = True
            used -= hours[k]
            if counted:
                layer -= 1
    return table[layers, room], price


@_compiled
def _bounded(items, worth, hours, room, most, price, order, chosen):  # type: ignore[no-untyped-def]
    """No more than this: hours at a price, and the `most` things that are worth most beyond it. Chooses greedily."""
    beyond = np.empty(items, dtype=np.int64)
    for k in range(items):
        beyond[k] = max(0, worth[k] - price * hours[k])
    dearest = descending(beyond, items)
    bound, left, count = price * room, room, 0
    for place in range(min(most, items)):
        bound += beyond[dearest[place]]
    for place in range(items):
        k = order[place]
        if hours[k] <= left and count < most:
            chosen[k] = True
            left -= hours[k]
            count += 1
    return bound


@_compiled
def _remember(place_of, best_chosen):  # type: ignore[no-untyped-def]
    """One by one: assigned as a whole, arrays of two lengths have a message that takes seconds to compile."""
    for at in range(len(place_of)):
        best_chosen[at] = place_of[at] >= 0


@_compiled
def relax(  # type: ignore[no-untyped-def]
    start, target, value, hours, share, room, most, limit_start, limit_of, seat_price, share_price, limit_price,
    seat_use, share_use, limit_use, hour_price, beyond
):  # fmt: skip
    """The Lagrangian relaxation at these prices: everybody takes their best bundle, whoever else wants the seats.

    Writes how much of each constraint is used, what an hour of each person costs, and what their bundle is worth
    beyond its prices. Returns the sum of the latter, and the steps taken.
    """
    seat_use[:], share_use[:], limit_use[:] = 0, 0, 0
    price = seat_price.copy()
    for o in range(len(price)):
        for at in range(limit_start[o], limit_start[o + 1]):
            price[o] += limit_price[limit_of[at]]
    widest = 1
    for i in range(len(start) - 1):
        widest = max(widest, start[i + 1] - start[i])
    worth, needed = np.empty(widest, dtype=np.int64), np.empty(widest, dtype=np.int64)
    edge, chosen = np.empty(widest, dtype=np.int64), np.zeros(widest, dtype=np.bool_)
    total, steps = 0, 0
    for i in range(len(start) - 1):
        items = 0
        for at in range(start[i], start[i + 1]):
            left = value[at] * SCALE - price[target[at]]
            if share[at] != NONE:
                left -= share_price[share[at]]
            if left > 0 and hours[at] <= room[i]:
                worth[items], needed[items], edge[items] = left, hours[at], at
                items += 1
        steps += start[i + 1] - start[i] + 1
        if most[i] > 1 and items > 1 and room[i] <= WIDEST:
            steps += items * room[i] // 8
        beyond[i], hour_price[i] = best_bundle(items, worth, needed, room[i], most[i], chosen)
        total += beyond[i]
        for k in range(items):
            if chosen[k]:
                o = target[edge[k]]
                seat_use[o] += 1
                if share[edge[k]] != NONE:
                    share_use[share[edge[k]]] += 1
                for at in range(limit_start[o], limit_start[o + 1]):
                    limit_use[limit_of[at]] += 1
    return total, steps


@_compiled
def insert(  # type: ignore[no-untyped-def]
    order, owner, target, hours, share, limit_start, limit_of, room_left, count_left, seats_left, share_left,
    limit_left, chosen
):  # fmt: skip
    """Take edges in this order as long as they keep every constraint. What is left of each is counted down."""
    for place in range(len(order)):
        at = order[place]
        i, o = owner[at], target[at]
        if chosen[at] or count_left[i] <= 0 or hours[at] > room_left[i] or seats_left[o] <= 0:
            continue
        if share[at] != NONE and share_left[share[at]] <= 0:
            continue
        free = True
        for k in range(limit_start[o], limit_start[o + 1]):
            if limit_left[limit_of[k]] <= 0:
                free = False
        if not free:
            continue
        chosen[at] = True
        count_left[i] -= 1
        room_left[i] -= hours[at]
        seats_left[o] -= 1
        if share[at] != NONE:
            share_left[share[at]] -= 1
        for k in range(limit_start[o], limit_start[o + 1]):
            limit_left[limit_of[k]] -= 1


@_compiled
def draw(state):  # type: ignore[no-untyped-def]
    """Marsaglia's xorshift, 64 bits."""
    x = state[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[0] = x
    return x


@_compiled
def patience(state):  # type: ignore[no-untyped-def]
    """A draw from the exponential distribution of mean 1, in 1 / 1024; its logarithm is bent to straight pieces, so
    that it is made of integers alone."""
    x = draw(state) >> np.uint64(33)  # 31 bits
    halvings = 0
    while x < np.uint64(1 << 30) and halvings < 30:
        x <<= np.uint64(1)
        halvings += 1
    part = np.int64(x - np.uint64(1 << 30)) >> 20  # 0 … 1023, how far from a half to one
    return ((halvings + 1) * 1024 - part) * 710 >> 10


@_compiled
def _edge_between(start, target, i, o):  # type: ignore[no-untyped-def]
    low, high = start[i], start[i + 1]
    if high - low > o and target[low + o] == o:
        return low + o
    while low < high:
        middle = (low + high) >> 1
        if target[middle] < o:
            low = middle + 1
        else:
            high = middle
    return low if low < start[i + 1] and target[low] == o else -1


@_compiled
def put(at, owner, target, hours, share, limit_start, limit_of, used, count, seats_left, share_left, limit_left,  # type: ignore[no-untyped-def]
         seat_at, seat_slots, place_of, bundle_at, bundle_slots, bundle_place, sign):  # fmt: skip
    """Take an edge (sign 1) or let it go (−1), in all the books."""
    i, o = owner[at], target[at]
    if sign > 0:
        place_of[at], bundle_place[at] = seat_at[o, 1], bundle_at[i, 1]
        seat_slots[seat_at[o, 0] + seat_at[o, 1]] = at
        bundle_slots[bundle_at[i, 0] + bundle_at[i, 1]] = at
        seat_at[o, 1] += 1
        bundle_at[i, 1] += 1
    else:
        seat_at[o, 1] -= 1
        bundle_at[i, 1] -= 1
        last = seat_slots[seat_at[o, 0] + seat_at[o, 1]]
        seat_slots[seat_at[o, 0] + place_of[at]] = last
        place_of[last] = place_of[at]
        last = bundle_slots[bundle_at[i, 0] + bundle_at[i, 1]]
        bundle_slots[bundle_at[i, 0] + bundle_place[at]] = last
        bundle_place[last] = bundle_place[at]
        place_of[at], bundle_place[at] = NONE, NONE
    used[i] += sign * hours[at]
    count[i] += sign
    seats_left[o] -= sign
    if share[at] != NONE:
        share_left[share[at]] -= sign
    for k in range(limit_start[o], limit_start[o + 1]):
        limit_left[limit_of[k]] -= sign


@_compiled
def _broken(at, target, share, limit_start, limit_of, seats_left, share_left, limit_left):  # type: ignore[no-untyped-def]
    """Whether an edge that was just taken breaks a constraint of its opportunity."""
    o = target[at]
    if seats_left[o] < 0 or (share[at] != NONE and share_left[share[at]] < 0):
        return True
    broken = False
    for k in range(limit_start[o], limit_start[o + 1]):
        broken |= limit_left[limit_of[k]] < 0
    return broken


@_compiled
def anneal(  # type: ignore[no-untyped-def]
    start, owner, target, value, hours, share, room, most, limit_start, limit_of, limit_row_start, limit_rows,
    used, count, seats_left, share_left, limit_left, seat_at, seat_slots, place_of, bundle_at, bundle_slots,
    bundle_place, likely, state, penalty, heat, moves, current, best, best_chosen
):  # fmt: skip
    """Try `moves` exchanges at one heat: a person takes a seat, whoever has it goes, and where the person has no room
    or by chance, one of their own seats goes too, to whom they displaced if that is possible.

    Hours may be overrun at a penalty for each; all else is kept. Losses are accepted as in annealing. `current` holds
    the value and the hours overrun; `best[0]` the value of the best that overran none, which is kept in `best_chosen`.
    """
    edges = np.uint64(len(target))
    for _ in range(moves):
        if len(likely) > 0 and draw(state) % np.uint64(8) != 0:
            at = likely[np.int64(draw(state) % np.uint64(len(likely)))]
        else:
            at = np.int64(draw(state) % edges)
        i, o = owner[at], target[at]
        if place_of[at] != NONE:
            # Whoever has overrun their hours may also let a seat go to nobody.
            relief = min(hours[at], used[i] - room[i])
            change = relief * penalty - value[at] * 1024
            if relief > 0 and (change >= 0 or (heat > 0 and -change <= (heat * patience(state)) >> 10)):
                put(at, owner, target, hours, share, limit_start, limit_of, used, count, seats_left, share_left,
                     limit_left, seat_at, seat_slots, place_of, bundle_at, bundle_slots, bundle_place, -1)  # fmt: skip
                current[0] -= value[at]
                current[1] -= relief
                if current[1] == 0 and current[0] > best[0] and len(target) <= COPIED:
                    best[0] = current[0]
                    _remember(place_of, best_chosen)
            continue
        if most[i] == 0 or hours[at] > room[i] or (seats_left[o] <= 0 and seat_at[o, 1] == 0):
            continue
        gone, own, instead = NONE, NONE, NONE
        if seats_left[o] <= 0:
            gone = seat_slots[seat_at[o, 0] + np.int64(draw(state) % np.uint64(seat_at[o, 1]))]
        else:
            for k in range(limit_start[o], limit_start[o + 1]):
                limit = limit_of[k]
                if limit_left[limit] <= 0:
                    rows = limit_row_start[limit + 1] - limit_row_start[limit]
                    for _try in range(4):
                        row = limit_rows[limit_row_start[limit] + np.int64(draw(state) % np.uint64(rows))]
                        if seat_at[row, 1] > 0:
                            gone = seat_slots[seat_at[row, 0] + np.int64(draw(state) % np.uint64(seat_at[row, 1]))]
                            break
        if gone != NONE and owner[gone] == i:
            own, gone = gone, NONE  # their own seat elsewhere under the same limit: a move, not an exchange
        full = count[i] >= most[i]
        crowded = used[i] + hours[at] > room[i]
        if own == NONE and count[i] > 0 and (full or ((crowded or gone != NONE) and draw(state) % np.uint64(2) == 0)):
            own = bundle_slots[bundle_at[i, 0] + np.int64(draw(state) % np.uint64(bundle_at[i, 1]))]
            if gone != NONE and most[owner[gone]] > 0:
                # Which of their own seats suits best whom they displace; looking at a few of them repays.
                other, best_change = owner[gone], np.int64(-(2**62))
                first = bundle_place[own]
                for further in range(min(bundle_at[i, 1], _COMPARED)):
                    mine = bundle_slots[bundle_at[i, 0] + (first + further) % bundle_at[i, 1]]
                    theirs = _edge_between(start, target, other, target[mine])
                    if theirs < 0 or place_of[theirs] != NONE or hours[theirs] > room[other]:
                        continue
                    over = max(0, used[i] + hours[at] - hours[mine] - room[i])
                    over += max(0, used[other] + hours[theirs] - hours[gone] - room[other])
                    change = (value[theirs] - value[mine]) * 1024 - over * penalty
                    if change > best_change:
                        best_change, own, instead = change, mine, theirs
        gain = value[at]
        j = owner[gone] if gone != NONE else NONE
        over_before = max(0, used[i] - room[i]) + (max(0, used[j] - room[j]) if j != NONE else 0)
        mine, theirs = used[i] + hours[at], used[j] if j != NONE else 0
        if gone != NONE:
            gain -= value[gone]
            theirs -= hours[gone]
        if own != NONE:
            gain -= value[own]
            mine -= hours[own]
        if instead >= 0:
            gain += value[instead]
            theirs += hours[instead]
        over = max(0, mine - room[i]) + (max(0, theirs - room[j]) if j != NONE else 0) - over_before
        change = gain * 1024 - over * penalty
        if change < 0 and (heat == 0 or -change > (heat * patience(state)) >> 10):
            continue
        if gone != NONE:
            put(gone, owner, target, hours, share, limit_start, limit_of, used, count, seats_left, share_left,
                 limit_left, seat_at, seat_slots, place_of, bundle_at, bundle_slots, bundle_place, -1)  # fmt: skip
        if own != NONE:
            put(own, owner, target, hours, share, limit_start, limit_of, used, count, seats_left, share_left,
                 limit_left, seat_at, seat_slots, place_of, bundle_at, bundle_slots, bundle_place, -1)  # fmt: skip
        # Room for one more in the books was kept, so that what breaks a constraint can be taken back.
        put(at, owner, target, hours, share, limit_start, limit_of, used, count, seats_left, share_left,
             limit_left, seat_at, seat_slots, place_of, bundle_at, bundle_slots, bundle_place, 1)  # fmt: skip
        broken = count[i] > most[i] or _broken(
            at, target, share, limit_start, limit_of, seats_left, share_left, limit_left
        )
        if instead >= 0:
            put(instead, owner, target, hours, share, limit_start, limit_of, used, count, seats_left, share_left,
                 limit_left, seat_at, seat_slots, place_of, bundle_at, bundle_slots, bundle_place, 1)  # fmt: skip
            broken = broken or count[j] > most[j] or _broken(
                instead, target, share, limit_start, limit_of, seats_left, share_left, limit_left
            )  # fmt: skip
        if broken:
            if instead >= 0:
                put(instead, owner, target, hours, share, limit_start, limit_of, used, count, seats_left, share_left,
                     limit_left, seat_at, seat_slots, place_of, bundle_at, bundle_slots, bundle_place, -1)  # fmt: skip
            put(at, owner, target, hours, share, limit_start, limit_of, used, count, seats_left, share_left,
                 limit_left, seat_at, seat_slots, place_of, bundle_at, bundle_slots, bundle_place, -1)  # fmt: skip
            if own != NONE:
                put(own, owner, target, hours, share, limit_start, limit_of, used, count, seats_left, share_left,
                     limit_left, seat_at, seat_slots, place_of, bundle_at, bundle_slots, bundle_place, 1)  # fmt: skip
            if gone != NONE:
                put(gone, owner, target, hours, share, limit_start, limit_of, used, count, seats_left, share_left,
                     limit_left, seat_at, seat_slots, place_of, bundle_at, bundle_slots, bundle_place, 1)  # fmt: skip
            continue
        current[0] += gain
        current[1] += over
        if current[1] == 0 and current[0] > best[0] and len(target) <= COPIED:
            best[0] = current[0]
            _remember(place_of, best_chosen)
