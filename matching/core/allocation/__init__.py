"""Who gets which seat: problems, solutions, certificates and the causes of seats that stay empty."""

from matching.core.allocation.alternatives import Alternatives, Option, alternatives
from matching.core.allocation.arrival import Arrival
from matching.core.allocation.calls import CallSize, call_size
from matching.core.allocation.diagnosis import diagnose
from matching.core.allocation.emptiness import GROUNDS, Cause, EmptySeats, KeptOut, Loosening
from matching.core.allocation.errors import InvalidAllocation
from matching.core.allocation.frontier import Chances, Point, dial, frontier
from matching.core.allocation.online import Pace, Route, SeatPrice, price_now, route, seat_prices
from matching.core.allocation.policy import Policy, edge_value, edge_values
from matching.core.allocation.problem import CandidateNode, Edges, Limit, OpportunityNode, Problem, Share
from matching.core.allocation.solution import Solution
from matching.core.allocation.solve import SOLVER, solve, solve_again
from matching.core.allocation.stable import Proposing, blocking_pairs, solve_stable, solve_stable_again
from matching.core.allocation.verify import Certificate, verify

__all__ = [
    "GROUNDS",
    "SOLVER",
    "Alternatives",
    "Arrival",
    "CallSize",
    "CandidateNode",
    "Cause",
    "Certificate",
    "Chances",
    "Edges",
    "EmptySeats",
    "InvalidAllocation",
    "KeptOut",
    "Limit",
    "Loosening",
    "OpportunityNode",
    "Option",
    "Pace",
    "Point",
    "Policy",
    "Problem",
    "Proposing",
    "Route",
    "SeatPrice",
    "Share",
    "Solution",
    "alternatives",
    "blocking_pairs",
    "call_size",
    "diagnose",
    "dial",
    "edge_value",
    "edge_values",
    "frontier",
    "price_now",
    "route",
    "seat_prices",
    "solve",
    "solve_again",
    "solve_stable",
    "solve_stable_again",
    "verify",
]
