"""What came of the evening, for people."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median

from rich.console import Console
from rich.table import Table

from config.evening.cast import Cast
from config.evening.client import Json, Market
from config.evening.demand import all_nodes
from config.evening.story import Story

SEATS = """query Seats($after: String) {
  opportunities(filter: {states: [PUBLISHED, PAUSED]}, first: 50, after: $after) {
    nodes { id reference title publishedAt seats { wanted open held filled } seatList { state filledAt } }
    pageInfo { hasNextPage endCursor }
  }
}"""
BEST = """query Best($opportunity: ID!) {
  matches(opportunity: $opportunity, first: 1) {
    nodes {
      probability candidate { displayName headline }
      fit { score contributions { feature amount sentence } } acceptance { probability }
    }
  }
}"""


def show(market: Market, cast: Cast, story: Story, console: Console) -> None:
    """Print the summary. Every figure is read through the API."""
    opportunities = all_nodes(market, cast.staff, SEATS, "opportunities")
    _seats(opportunities, console)
    _evening(story, market, console)
    _matches(market, cast, opportunities, console)
    _refusal(story, console)
    _empty_seat(story, console)
    for surprise in story.surprises[:10]:
        console.print(f"[red]Unexpected:[/] {surprise}")


def _seats(opportunities: list[Json], console: Console) -> None:
    count = {name: sum(o["seats"][name] for o in opportunities) for name in ("wanted", "open", "held", "filled")}
    fill = count["filled"] / count["wanted"] if count["wanted"] else 0
    times = [
        datetime.fromisoformat(seat["filledAt"]) - datetime.fromisoformat(o["publishedAt"])
        for o in opportunities
        for seat in o["seatList"]
        if seat["filledAt"]
    ]
    table = Table(title="The market after this evening", title_justify="left", show_header=False, box=None)
    table.add_row("Opportunities open", str(len(opportunities)))
    table.add_row("Seats wanted", str(count["wanted"]))
    table.add_row("  filled", str(count["filled"]))
    table.add_row("  held for an offer", str(count["held"]))
    table.add_row("  open", str(count["open"]))
    table.add_row("Fill rate", f"{fill:.0%}")
    if times:
        table.add_row("Time to fill", f"{_span(min(times))} to {_span(max(times))}, median {_span(_median(times))}")
    console.print()
    console.print(table)


def _median(times: list[timedelta]) -> timedelta:
    return timedelta(seconds=median(t.total_seconds() for t in times))


def _span(time: timedelta) -> str:
    seconds = int(time.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _evening(story: Story, market: Market, console: Console) -> None:
    c = story.counts
    lines = [
        f"{c['published']} opportunities published ({c['opportunity_incomplete']} were incomplete and completed first)",
        f"{c['registered']} newcomers registered; {c['applied']} applications, {c['not_eligible']} not eligible, "
        f"{c['answers_needed']} with questions open",
        f"{c['invited']} invited: {c['invitations_accepted']} accepted, {c['invitations_declined']} declined",
        f"{c['open_call_offers']} open-call offers, {c['overtaken']} accepted too late and put on the waiting list",
        f"offers: {c['accepted']} accepted, {c['declined']} declined, {c['expired']} expired, "
        f"{c['hours_exceeded']} beyond the candidate's hours",
        f"{c['started']} placements started, {c['no_shows']} did not turn up",
    ]
    for number, run in enumerate(story.runs, start=1):
        lines.append(
            f"allocation {number}: {run['seats']} open seats, {run['proposed']} proposals, {run['sent']} offers sent; "
            f"value {run['value']} of at most {run['bound']} (gap {run['gap']}, certificate valid)"
        )
    slow = sorted(market.seconds)[int(len(market.seconds) * 0.95)] if market.seconds else 0
    lines.append(f"{market.requests} GraphQL requests, 95 % within {slow * 1000:.0f} ms")
    console.print("\n[bold]This evening[/]")
    for line in lines:
        console.print(f"  {line}", highlight=False)


def _matches(market: Market, cast: Cast, opportunities: list[Json], console: Console) -> None:
    best = []
    for opportunity in opportunities[:20]:
        nodes = market.ask(cast.staff, BEST, opportunity=opportunity["id"])["matches"]["nodes"]
        if nodes:
            best.append((nodes[0]["fit"]["score"], opportunity, nodes[0]))
    best.sort(key=lambda entry: (-int(entry[0]), entry[1]["reference"]))
    console.print("\n[bold]Best matches[/] (a score is the exact sum of its contributions, in millionths of log-odds)")
    for score, opportunity, match in best[:3]:
        console.print(
            f"  {opportunity['title']} ({opportunity['reference']}): {match['candidate']['displayName']}, "
            f"score {score}, suits with {match['probability']:.0%}",
            highlight=False,
        )
        for part in match["fit"]["contributions"][:5]:
            console.print(f"    {int(part['amount']):>+10}  {part['sentence']}", highlight=False)
        rest = match["fit"]["contributions"][5:]
        if rest:
            console.print(f"    {sum(int(p['amount']) for p in rest):>+10}  {len(rest)} smaller ones", highlight=False)


def _refusal(story: Story, console: Console) -> None:
    if story.refusal is None:
        return
    verdict, opportunity = story.refusal["eligibility"], story.refusal["opportunity"]
    console.print(f"\n[bold]A refusal[/]: {opportunity['title']}, {opportunity['postingOrganisation']['name']}")
    for reason in verdict["reasons"]:
        console.print(f"  {reason['sentence']}", highlight=False)
    if verdict["nearestChange"]:
        console.print(f"  What would change it: {verdict['nearestChange']['sentence']}", highlight=False)


def _empty_seat(story: Story, console: Console) -> None:
    empty = [entry for run in reversed(story.runs) for entry in run["diagnosis"]]
    if not empty:
        return
    console.print(
        f"\n[bold]An empty seat[/]: {empty[0]['opportunity']['title']} ({empty[0]['opportunity']['reference']})"
    )
    console.print(f"  {empty[0]['sentence']}", highlight=False)
