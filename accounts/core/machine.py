"""State machines as tables, applied by one pure function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from accounts.core.actor import ActorKind
from accounts.errors import IllegalTransition


@dataclass(frozen=True, slots=True)
class Move:
    """One row of a table: `source --action--> target`, by whom, and the event that records it.

    `effects` says in words what the move does to what hangs on the row; the action that makes the move carries it out.
    """

    source: str
    action: str
    target: str
    by: frozenset[ActorKind]
    event: str
    effects: str = ""


@dataclass(frozen=True)
class Machine:
    """A noun's life: its states, the first one, and every legal move."""

    noun: str
    states: type[StrEnum]
    initial: str
    moves: Mapping[tuple[str, str], Move]

    @property
    def final_states(self) -> frozenset[str]:
        sources = {move.source for move in self.moves.values()}
        return frozenset(state.value for state in self.states if state.value not in sources)

    def legal(self, state: str, by: ActorKind) -> list[str]:
        """The actions open to this kind of actor, in the table's order."""
        return [m.action for m in self.moves.values() if m.source == state and by in m.by]

    def sources(self, action: str) -> frozenset[str]:
        """The states from which an action is possible at all."""
        return frozenset(m.source for m in self.moves.values() if m.action == action)

    def mermaid(self) -> str:
        """The drawing that the README shows: derived, so that it cannot disagree with the table."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.initial}"]
        lines += [f"    {m.source} --> {m.target}: {m.action}" for m in self.moves.values()]
        lines += [f"    {state} --> [*]" for state in sorted(self.final_states)]
        return "\n".join(lines)


def machine(noun: str, states: type[StrEnum], *, initial: str, moves: Iterable[Move]) -> Machine:
    """Build a machine. Raises ValueError for a second row with the same source and action or an unknown state."""
    table: dict[tuple[str, str], Move] = {}
    known = {state.value for state in states}
    for move in moves:
        if (move.source, move.action) in table:
            raise ValueError(f"{noun}: two moves for {move.action} from {move.source}")
        if not {move.source, move.target} <= known:
            raise ValueError(f"{noun}: {move.source} or {move.target} is no state")
        table[move.source, move.action] = move
    return Machine(noun=noun, states=states, initial=str(initial), moves=table)


def decide(machine: Machine, state: str, action: str, by: ActorKind) -> Move:
    """The move that `action` makes from `state`, or IllegalTransition naming the actions that are legal."""
    move = machine.moves.get((state, action))
    if move is None or by not in move.by:
        raise IllegalTransition(
            machine=machine.noun, state=str(state), action=str(action), legal=machine.legal(state, by)
        )
    return move
