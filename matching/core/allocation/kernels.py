"""The loops of the auction, compiled. All of it is integer arithmetic on one thread, so every machine gives the same.

Arrays that recur (n people, m opportunities; "scaled" means value · scale + bonus, in which every edge is worth at
least the bonus, so that of two assignments of the same value the one with more people counts for more):

`start`, `target`, `value`: edges by person, those of i at start[i] … start[i + 1] − 1, targets ascending;
`offset`, `person`, `worth`: the same edges by opportunity, those of o at offset[o] … offset[o + 1] − 1;
`capacity`, `count`: seats of each opportunity that can matter, and how many are taken;
`price`: scaled, of one seat; `BARRED` for an opportunity without seats;
`holder`, `held`: where each person is (NOBODY: nowhere), and the value of that edge.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

NOBODY = -1
BARRED = 2**61  # above any scaled value, and twice of it still fits 64 bits
_compiled: Any = njit(cache=True, nogil=True)


@_compiled
def descending(values, count):  # type: ignore[no-untyped-def]
    """Places of the first `count` values, the greatest first, equal ones in their order: Shell's sort. NumPy's sorts
    are as quick, and take five seconds to compile."""
    order = np.arange(count)
    gap = count // 2
    while gap > 0:
        for at in range(gap, count):
            k, place = order[at], at
            while place >= gap:
                other = order[place - gap]
                if values[other] > values[k] or (values[other] == values[k] and other < k):
                    break
                order[place] = other
                place -= gap
            order[place] = k
        gap //= 2
    return order


@_compiled
def by_person(candidate, value, allowed, person_rank, order, first, start, target, worth):  # type: ignore[no-untyped-def]
    """Sort the allowed edges by person, then opportunity, in their new order: a counting sort. `start` must be zeros,
    one longer than there are people; `first` is where each opportunity's edges begin in the unsorted columns."""
    for at in range(len(candidate)):
        if allowed[at]:
            start[person_rank[candidate[at]] + 1] += 1
    for i in range(len(start) - 1):
        start[i + 1] += start[i]
    for place in range(len(order)):
        row = order[place]
        for at in range(first[row], first[row + 1]):
            if allowed[at]:
                i = person_rank[candidate[at]]
                target[start[i]] = place
                worth[start[i]] = value[at]
                start[i] += 1
    for i in range(len(start) - 1, 0, -1):  # filling moved each start to the next one's place
        start[i] = start[i - 1]
    start[0] = 0


@_compiled
def by_opportunity(start, target, value, offset, person, worth):  # type: ignore[no-untyped-def]
    """The same edges by opportunity, then person. `offset` must be zeros, one longer than there are opportunities."""
    for at in range(len(target)):
        offset[target[at] + 1] += 1
    for o in range(len(offset) - 1):
        offset[o + 1] += offset[o]
    for i in range(len(start) - 1):
        for at in range(start[i], start[i + 1]):
            o = target[at]
            person[offset[o]] = i
            worth[offset[o]] = value[at]
            offset[o] += 1
    for o in range(len(offset) - 1, 0, -1):
        offset[o] = offset[o - 1]
    offset[0] = 0


@_compiled
def bid(  # type: ignore[no-untyped-def]
    start, target, value, scale, bonus, heap_start, capacity, price, step, holder, held, heap_bid, heap_person, count,
    queue, waiting, most
):  # fmt: skip
    """People bid until all are content: each for the opportunity that leaves them most, by as much as they prefer it
    to their next best, and `step` more. Each opportunity keeps its bids in a heap; its price is the least of them once
    it is full, and whoever made that bid is outbid by the next. A person whom no price leaves anything gives up.

    `queue` holds the `waiting` people to come, the last one first. Returns how many still wait and the edges looked
    at, which stop soon after `most`.
    """
    looked = 0
    while waiting > 0:
        waiting -= 1
        i = queue[waiting]
        while True:
            if looked >= most:
                queue[waiting] = i
                return waiting + 1, looked
            looked += start[i + 1] - start[i] + 1
            best, second, at = 0, 0, -1
            for edge in range(start[i], start[i + 1]):
                left = value[edge] * scale + bonus - price[target[edge]]
                if left > best:
                    second, best, at = best, left, edge
                else:
                    second = max(second, left)  # without a branch: half of this loop's time is branches mispredicted
            if at < 0:
                break
            o = target[at]
            offer = price[o] + best - second + step
            holder[i], held[i] = o, value[at]
            base, taken = heap_start[o], count[o]
            if taken < capacity[o]:
                place = taken
                while place > 0:
                    above = (place - 1) >> 1
                    if heap_bid[base + above] <= offer:
                        break
                    heap_bid[base + place] = heap_bid[base + above]
                    heap_person[base + place] = heap_person[base + above]
                    place = above
                heap_bid[base + place], heap_person[base + place] = offer, i
                count[o] = taken + 1
                if taken + 1 == capacity[o]:
                    price[o] = heap_bid[base]
                break
            outbid = heap_person[base]
            place = 0
            while True:
                below = 2 * place + 1
                if below >= taken:
                    break
                if below + 1 < taken and heap_bid[base + below + 1] < heap_bid[base + below]:
                    below += 1
                if heap_bid[base + below] >= offer:
                    break
                heap_bid[base + place] = heap_bid[base + below]
                heap_person[base + place] = heap_person[base + below]
                place = below
            heap_bid[base + place], heap_person[base + place] = offer, i
            price[o] = heap_bid[base]
            holder[outbid] = NOBODY
            i = outbid
    return 0, looked


@_compiled
def underbid(  # type: ignore[no-untyped-def]
    offset, person, worth, scale, bonus, capacity, price, step, holder, held, count, queue, queued, ends, level,
    edge_of, most
):  # fmt: skip
    """Opportunities with empty seats lower their price until these are taken or cost nothing: the reverse auction,
    without which a price from an earlier round could remain on a seat that nobody buys, and prove nothing.

    Each takes, for its empty seats, the people who gain most by coming, at a price that would just not bring the next
    one; whom they leave has an empty seat in turn. `queue` is a ring of opportunities from ends[0], ends[1] of them;
    `queued` says who is in it. Returns the edges looked at; the ring is empty unless they reached `most`.
    """
    looked, rows = 0, len(capacity)
    while ends[1] > 0 and looked < most:
        o = queue[ends[0]]
        ends[0] = (ends[0] + 1) % rows
        ends[1] -= 1
        queued[o] = False
        empty = capacity[o] - count[o]
        if empty <= 0 or price[o] == 0:
            continue
        looked += offset[o + 1] - offset[o] + 1
        size = 0  # of a heap of the empty + 1 highest levels: prices at which people would be as well off here
        for at in range(offset[o], offset[o + 1]):
            i = person[at]
            now = holder[i]
            if now == o:
                continue
            height = worth[at] * scale + bonus
            if now != NOBODY:
                height -= held[i] * scale + bonus - price[now]
            if height <= step:
                continue
            if size <= empty:
                place = size
                size += 1
                while place > 0 and level[(place - 1) >> 1] > height:
                    level[place], edge_of[place] = level[(place - 1) >> 1], edge_of[(place - 1) >> 1]
                    place = (place - 1) >> 1
            elif height > level[0]:
                place = 0
                while True:
                    below = 2 * place + 1
                    if below >= size:
                        break
                    if below + 1 < size and level[below + 1] < level[below]:
                        below += 1
                    if level[below] >= height:
                        break
                    level[place], edge_of[place] = level[below], edge_of[below]
                    place = below
            else:
                continue
            level[place], edge_of[place] = height, at
        left_out = 1 if size > empty else 0
        lowered = max(0, level[0] - step) if left_out else 0
        price[o] = min(price[o], lowered)
        for place in range(left_out, size):
            i = person[edge_of[place]]
            before = holder[i]
            if before != NOBODY:
                count[before] -= 1
                if price[before] > 0 and not queued[before]:
                    queue[(ends[0] + ends[1]) % rows] = before
                    ends[1] += 1
                    queued[before] = True
            holder[i], held[i] = o, worth[edge_of[place]]
            count[o] += 1
    return looked


@_compiled
def worths_beyond(start, target, value, scale, bonus, price, worth):  # type: ignore[no-untyped-def]
    """Write what each person is worth beyond the price of any seat, at least 0; return the sum."""
    total = 0
    for i in range(len(start) - 1):
        best = 0
        for at in range(start[i], start[i + 1]):
            left = value[at] * scale + bonus - price[target[at]]
            if left > best:
                best = left
        worth[i] = best
        total += best
    return total


@_compiled
def place_rest(start, target, value, capacity, holder, held, count):  # type: ignore[no-untyped-def]
    """Give each person who is nowhere the best of the empty seats, in order: for those who had to stop half-way."""
    for i in range(len(start) - 1):
        if holder[i] != NOBODY:
            continue
        best = -1
        for at in range(start[i], start[i + 1]):
            if count[target[at]] < capacity[target[at]] and (best < 0 or value[at] > value[best]):
                best = at
        if best >= 0:
            holder[i], held[i] = target[best], value[best]
            count[target[best]] += 1


@_compiled
def values_held(start, target, value, holder, held):  # type: ignore[no-untyped-def]
    """Write the value of the edge that each person is placed by, where they are."""
    for i in range(len(start) - 1):
        for at in range(start[i], start[i + 1]):
            if target[at] == holder[i]:
                held[i] = value[at]


@_compiled
def least_prices(start, target, value, price, holder, held, members, member_start):  # type: ignore[no-untyped-def]
    """The least prices that still prove an optimal assignment, by Dijkstra's algorithm from where a seat adds nothing.

    `price` must prove it already: then every exchange of people loses, at these prices, nothing or something, and
    what a price can be lowered by is the least loss on a way to a seat that could as well stay empty, or to a person
    who is nowhere.
    """
    rows = len(price)
    loss = price.copy()
    for i in range(len(start) - 1):
        if holder[i] == NOBODY:
            for at in range(start[i], start[i + 1]):
                loss[target[at]] = min(loss[target[at]], price[target[at]] - value[at])
    negated, place_of = np.empty(rows, dtype=np.int64), np.empty(rows, dtype=np.int64)
    for o in range(rows):
        negated[o] = -loss[o]
    heap = descending(negated, rows)  # sorted, and so a heap
    for place in range(rows):
        place_of[heap[place]] = place
    size = rows
    while size > 0:
        o, size = heap[0], size - 1
        last, place = heap[size], 0
        while True:
            below = 2 * place + 1
            if below >= size:
                break
            if below + 1 < size and loss[heap[below + 1]] < loss[heap[below]]:
                below += 1
            if loss[heap[below]] >= loss[last]:
                break
            heap[place] = heap[below]
            place_of[heap[place]] = place
            place = below
        heap[place], place_of[last], place_of[o] = last, place, rows
        for member in range(member_start[o], member_start[o + 1]):
            i = members[member]
            kept = loss[o] + held[i] - price[o]
            for at in range(start[i], start[i + 1]):
                other = target[at]
                lost = kept + price[other] - value[at]
                if lost >= loss[other]:
                    continue
                loss[other] = lost
                place = place_of[other]
                while place > 0 and loss[heap[(place - 1) >> 1]] > lost:
                    heap[place] = heap[(place - 1) >> 1]
                    place_of[heap[place]] = place
                    place = (place - 1) >> 1
                heap[place], place_of[other] = other, place
    for o in range(rows):
        loss[o] = price[o] - loss[o]
    return loss
