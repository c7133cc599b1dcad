"""Hand-written searches, as data: every source must find just these, in this order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from marketplace.core.folding import fold
from matching.core.attributes import Subject
from matching.core.facts import CandidateFacts, OpportunityFacts, SkillFact
from matching.core.rules import Rule, load
from matching.core.search.filters import arrangement_in, asks_for_skill, commitment_in, offered_in, posted_by
from matching.core.search.query import SearchText
from matching.core.search.search import EVERYTHING, NO_END, Facet, Opening, PayRange, Person, Reach, Search, Sort
from matching.core.search.words import searched_words

TODAY = date(2026, 6, 15)
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)

CLOUD, KUBERNETES, JAVASCRIPT, REACT, WELDING, TIG, LEARNING, MACHINE_LEARNING, RESEARCH, CPP = range(1, 11)
SKILLS = {
    CLOUD: ("cloud technologies",),
    KUBERNETES: ("Kubernetes", "k8s", "K8"),
    JAVASCRIPT: ("JavaScript", "JS", "ECMAScript"),
    REACT: ("React.js", "React"),
    WELDING: ("welding",),
    TIG: ("TIG welding", "GTAW"),
    LEARNING: ("learning",),
    MACHINE_LEARNING: ("machine learning", "ML"),
    RESEARCH: ("research and development", "R&D"),
    CPP: ("C++", "cpp"),
}
"""Their names, and other labels of them."""
BROADER = {KUBERNETES: CLOUD, REACT: JAVASCRIPT, TIG: WELDING}

ACME, BOLT, CRANE, SHADY = 101, 102, 103, 104
ORGANISATIONS = {ACME: "Acme Ltd", BOLT: "Bolt Welders", CRANE: "Crane & Söhne", SHADY: "Shady"}


def _kinds(skills: tuple[int, ...]) -> frozenset[int]:
    return frozenset(skills).union(BROADER[one] for one in skills if one in BROADER)


def _skill_words(skills: tuple[int, ...]) -> frozenset[str]:
    return searched_words(SKILLS[one][0] for one in skills)


# Openings, the newest first; each is listed a day before the one above it.


def _opening(
    title: str,
    skills: tuple[int, ...] = (),
    text: str = "",
    *,
    by: int = ACME,
    hires: int | None = None,
    state: str = "published",
    visibility: str = "public",
    pay: tuple[tuple[int, int], ...] = (),
    closes_at: datetime = NO_END,
    **facts: Any,
) -> dict[str, Any]:
    organisations = frozenset({by, hires or by})
    fields = {
        "title": searched_words([title]),
        "skills": _skill_words(skills),
        "organisation": searched_words(ORGANISATIONS[one] for one in organisations),
    }
    sets = {name: frozenset(value.split()) for name, value in facts.items() if name.endswith("places")}
    return {
        "facts": {
            "skills": frozenset(skills),
            "skill_families": _kinds(skills),
            "organisations": organisations,
            **facts,
            "places": frozenset("*"),
            **sets,
        },
        "text": SearchText(fields, searched_words([text]).union(*fields.values()), frozenset(skills), _kinds(skills)),
        "state": state,
        "visibility": visibility,
        "organisation": by,
        "title": fold(title),
        "closes_at": closes_at,
        "pay": tuple((least * 1_000_00, most * 1_000_00) for least, most in pay),
    }


OPENINGS: Mapping[str, dict[str, Any]] = {
    "platform": _opening(
        "Platform Engineer", (KUBERNETES,), commitment="full_time", arrangement="remote", pay=((70, 90),)
    ),
    "js": _opening(
        "JavaScript Developer", (JAVASCRIPT,), "Agile team, night shifts never.",
        commitment="contract", arrangement="remote", places="DE DE-*", pay=((40, 50), (80, 95)),
    ),
    "react": _opening(
        "Frontend Developers (m/f)", (REACT,), commitment="full_time", arrangement="hybrid", places="DE DE-BE",
        pay=((60, 70),),
    ),
    "agency": _opening(
        "Web developer", text="You know JavaScript.", by=CRANE, commitment="contract", arrangement="hybrid",
        places="AT AT-*", excluded_places="AT-9",
    ),
    "welder": _opening(
        "Welder", (WELDING,), by=BOLT, commitment="full_time", arrangement="onsite", places="DE DE-BE AT AT-9",
        pay=((30, 40),), closes_at=NOW + 9 * DAY,
    ),
    "tig": _opening(
        "Night-shift fitter", (TIG,), by=BOLT, hires=CRANE, commitment="part_time", arrangement="onsite",
        places="DE DE-BY", closes_at=NOW + 2 * DAY,
    ),
    "guard": _opening("Night guard", text="Two welders work next door.", excluded_places="DE", pay=((20, 25),)),
    "ml": _opening("Machine Learning Engineer", (MACHINE_LEARNING, CPP)),
    "teacher": _opening("Teacher", (LEARNING,), "Learning with a machine."),
    "research": _opening("Laboratory assistant", (RESEARCH,), "Studies of ageing."),
    "cpp": _opening("C++ engineer", (CPP,)),
    "c": _opening("C engineer"),
    "dotnet": _opening(".NET engineer"),
    "node": _opening("Node.js engineer"),
    "french": _opening("Ingénieur·e d’études à l’Œuvre 👩‍🔧"),
    "chinese": _opening("软件工程师"),
    "arabic": _opening("مُهَنْدِس برمجيات"),
    "draft": _opening("Secret plumber", state="draft"),
    "paused": _opening("Paused plumber", state="paused", by=CRANE),
    "closed": _opening("Closed plumber", state="closed", visibility="invited", by=CRANE),
    "unlisted": _opening("Unlisted plumber", visibility="unlisted", by=CRANE),
    "shady": _opening("Shady plumber", by=SHADY),
}  # fmt: skip


def opening(number: int, pk: int) -> Opening:
    """The opening of that number, under an id."""
    known = dict(list(OPENINGS.values())[number])
    facts = OpportunityFacts(pk, **known.pop("facts"))
    return Opening(facts, listed_at=NOW - number * DAY, **known)


# People, those who came last first


def _person(
    headline: str,
    titles: tuple[str, ...] = (),
    skills: tuple[int, ...] = (),
    *,
    discoverable: bool = True,
    present: bool = True,
    open_to_offers: bool = False,
    blocked: tuple[int, ...] = (),
    **facts: Any,
) -> dict[str, Any]:
    fields = {
        "headline": searched_words([headline]), "titles": searched_words(titles), "skills": _skill_words(skills)
    }  # fmt: skip
    return {
        "facts": {**facts, "skills": {one: SkillFact(3) for one in skills}},
        "text": SearchText(fields, frozenset().union(*fields.values()), frozenset(skills), _kinds(skills)),
        "discoverable": discoverable,
        "present": present,
        "open_to_offers": open_to_offers,
        "blocked": frozenset(blocked),
    }


PEOPLE: Mapping[str, dict[str, Any]] = {
    "lena": _person(
        "Welder with ten years at sea", ("Shift lead",), (WELDING,), country="DE", region="DE-BE",
        commitments=frozenset({"full_time", "contract"}), weekly_hours=40, open_to_offers=True,
    ),
    "tom": _person(
        "Jack of all trades", ("Welder", "Roofer"), (TIG, JAVASCRIPT), country="DE", weekly_hours=20,
        commitments=frozenset({"full_time"}),
    ),
    "ada": _person("Staff engineer", ("JavaScript developer",), (REACT, KUBERNETES), country="AT"),
    "yu": _person("软件工程师", (), (CPP,), weekly_hours=40),
    "max": _person("Web developer", (), (JAVASCRIPT,), blocked=(ACME,), country="AT"),
    "eva": _person("Developer at Acme", (), (JAVASCRIPT,), blocked=(ACME, BOLT)),
    "hidden": _person("Hidden welder", discoverable=False),
    "gone": _person("Gone welder", present=False),
}  # fmt: skip


def person(number: int, pk: int) -> Person:
    known = dict(list(PEOPLE.values())[-1 - number])
    return Person(CandidateFacts(pk, **known.pop("facts")), **known)


# Cases


ANYBODY = Reach()


@dataclass(frozen=True)
class SearchCase:
    """`finds`, `among`, `related` and `without` are names. Facets are whatever counts are not zero."""

    name: str
    finds: str
    query: str = ""
    about: Subject = Subject.OPPORTUNITY
    asks: Mapping[str, Any] = field(default_factory=dict)  # of the search
    reach: Reach = ANYBODY
    among: str | None = None
    related: str = ""
    without: str = ""
    facets: Mapping[Facet, Mapping[str | int, int]] = field(default_factory=dict)

    def search(self, segments: Any, ids: Mapping[str, int]) -> Search:
        """As a value; `segments` are what the query was read into, None for nothing to be found by."""

        def among(names: str) -> frozenset[int]:
            return frozenset(ids[name] for name in names.split())

        return Search(
            about=self.about,
            segments=segments or (),
            among=None if self.among is None else among(self.among),
            reach=Reach(self.reach.is_staff, self.reach.organisations, among(self.related), self.reach.suspended),
            on=TODAY,
            **{"nothing": segments is None, "sort": Sort.RELEVANCE if segments else Sort.NEWEST, **self.asks},
        )


def case(name: str, finds: str, query: str = "", **known: Any) -> SearchCase:
    """One of openings; whatever a search has is given by its name."""
    own = {key: known.pop(key) for key in tuple(known) if key in SearchCase.__dataclass_fields__}
    return SearchCase(name, finds, query, asks=known, **own)


def people(name: str, finds: str, query: str = "", **known: Any) -> SearchCase:
    """One of people, by somebody of Acme."""
    return case(name, finds, query, **{"about": Subject.CANDIDATE, "reach": OF_ACME, **known})


def by(**filters: Rule) -> Mapping[Facet, Rule]:
    return {Facet(name): rule for name, rule in filters.items()}


def stated(rule: object, about: Subject = Subject.OPPORTUNITY) -> Rule:
    return load(rule, about=about)


HOURS = {"attribute": "weekly_hours", "op": "gte", "value": 10}
OF_ACME = Reach(organisations=frozenset({ACME}))
OF_BOTH = Reach(organisations=frozenset({ACME, BOLT}))
OF_CRANE = Reach(organisations=frozenset({CRANE}))
WARNED = Reach(suspended=frozenset({SHADY}))
PUBLIC = "platform js react agency welder tig guard ml teacher research cpp c dotnet node french chinese arabic shady"
LONG = " ".join(f"word{number}" for number in range(2_000))

CASES = (
    # Words
    case("no words find everything, the newest first", PUBLIC),
    case("blanks are no words", PUBLIC, " \t\n"),
    case("one word, in titles before texts", "welder tig guard", "welder ", among="guard welder tig js"),
    case("every word counts", "tig guard", "night welder "),
    case("the order of words does not", "tig guard", "welder night "),
    case("plural and singular are one", "js react agency", "developers ", among="react js agency platform"),
    case("words of an organisation's name", "welder tig guard", "welder "),
    case("whoever hires counts like who posted", "agency tig", "sohne "),
    case("case and accents do not matter", "french", "INGENIEUR "),
    case("nor how they were composed", "french", "inge\u0301nieur "),
    case("ligatures and elisions are letters", "french", "detudes "),
    case("a word that nothing has", "", "astronaut "),
    case("a word among many that nothing has", "", "welder astronaut "),
    case("C", "c", "C "),
    case("C++", "cpp ml", "C++ "),
    case(".NET", "dotnet", ".NET "),
    case("Node.js at the end of a sentence", "node", "node.js. "),
    case("Chinese", "chinese", "软件工程师 "),
    case("Chinese, begun", "chinese", "软件"),
    case("Arabic without its vowels", "arabic", "مهندس "),
    case("words said in passing", "welder", "the welder for a ", among="welder js"),
    case("punctuation and pictures are nothing to be found by", "", "🚀 ... ?!"),
    case("NUL is a blank", "guard", "night\x00guard"),
    case("operators of databases mean nothing", "guard", "night & !guard | (welder) <-> :* '\\ \" % ; --"),
    case("ten thousand letters", "", LONG),
    case("one very long word", "", "w" * 10_000),
    # As somebody types
    case("begun", "welder tig guard", "weld", among="welder tig guard js"),
    case("begun in the title, skill and text", "js agency", "javascr"),
    case("begun, and not going on", "", "javascr "),
    case("only the last word goes on", "", "javascr developer"),
    case("the ending of a plural is no obstacle", "js react agency", "developers", among="react js agency welder"),
    case("two letters begin a word", "ml teacher", "le", among="ml teacher node"),
    case("one letter is one", "c", "c"),
    case("as typed before as begun", "welder tig guard", "welder"),
    # Slips
    case("a letter left out", "platform ml cpp c dotnet node", "enginer "),
    case("a letter too many", "guard", "guardd "),
    case("two letters swapped", "welder tig guard", "wedler "),
    case("two slips in a long word", "js agency", "jvascrpt "),
    case("no slip in a short word", "", "nod "),
    case("a slip beside other words", "ml", "machine enginer "),
    case("a slip in a word that is being typed", "platform ml cpp c dotnet node", "enginer"),
    case("a word in use is no slip", "guard", "guard "),
    # Skills
    case("another label of a skill", "platform", "k8s "),
    case("a label in capitals", "js react", "JS "),
    case("a label that is being typed", "js react", "ecmascript"),
    case("a skill by its name, with narrower ones", "js react agency", "JavaScript "),
    case("a narrower skill", "react", "react "),
    case("the narrower is not found by a sibling's label", "tig", "GTAW "),
    case("the broader one finds both", "welder tig", "welding "),
    case("a skill of several words", "ml", "machine learning ", among="ml platform"),
    case("words of a skill's name, wherever they are", "ml teacher", "machine learning "),
    case("the shorter name where the longer is not meant", "ml teacher", "learning "),
    case("a name with words said in passing", "research", "R&D "),
    case("the same, written out", "research", "research and development "),
    case("a skill and a word, the skill itself first", "js react", "js developer ", among="js react platform"),
    # Filters
    case("a commitment", "js agency", filters=by(commitment=commitment_in(["contract"]))),
    case("one of two", "js agency tig", filters=by(commitment=commitment_in(["contract", "part_time"]))),
    case("an arrangement and a word", "react agency", "developer ", filters=by(arrangement=arrangement_in(["hybrid"]))),
    case("a skill itself", "js", filters=by(skill=asks_for_skill([JAVASCRIPT]))),
    case("a skill or a narrower one", "js react", filters=by(skill=asks_for_skill([JAVASCRIPT], or_narrower=True))),
    case("two skills", "ml", filters=by(skill=asks_for_skill([MACHINE_LEARNING, CPP]))),
    case("an organisation, hiring or posting", "agency tig", filters=by(organisation=posted_by([CRANE]))),
    case(
        "in a country, or anywhere, and not kept out of it", "js react welder tig",
        among="js react agency welder tig guard", filters=by(country=offered_in(["DE"])),
    ),
    case(
        "in a region, or in all of its country", "js react welder",
        among="js react agency welder tig guard", filters=by(country=offered_in(["DE-BE"])),
    ),
    case(
        "in a country of which a region is left out", "agency welder guard",
        among="js react agency welder tig guard", filters=by(country=offered_in(["AT"])),
    ),
    case(
        "in the region that is left out", "welder guard",
        among="js react agency welder tig guard", filters=by(country=offered_in(["AT-9"])),
    ),
    case("a fact that is not stated is not known to fit", "", rule=stated({"not": HOURS})),
    case("nor is its absence", PUBLIC, rule=stated({**HOURS, "op": "exists", "value": False})),
    case(
        "two filters", "js",
        filters=by(commitment=commitment_in(["contract"]), arrangement=arrangement_in(["remote"])),
    ),
    case("listed since a moment, that one included", "platform js", listed_since=NOW - DAY),
    case("listed since a moment later", "platform", listed_since=NOW - DAY + timedelta(microseconds=1)),
    # Pay
    case("pays so much somewhere", "platform js react", pay=PayRange(70_000_00, None)),
    case("a cent more than a band pays", "platform js", pay=PayRange(70_000_01, None)),
    case("within one band, not between two", "react", pay=PayRange(55_000_00, 65_000_00), among="js react"),
    case("pays no more than", "js welder guard", pay=PayRange(None, 40_000_00)),
    case("pays whatever, as long as it is known", "platform js react welder guard", pay=PayRange(None, None)),
    # Orders
    case(
        "the best paid first, those unknown last", "js platform react welder tig agency",
        sort=Sort.PAY, among="platform js react agency welder tig",
    ),
    case("what closes first", "tig welder react js", sort=Sort.CLOSING, among="js react welder tig"),
    case("by title, as bytes sort", "dotnet c cpp node chinese", sort=Sort.TITLE, among="chinese node c cpp dotnet"),
    case("the newest first, whatever is more relevant", "js react", "js ", sort=Sort.NEWEST),
    case("by relevance without words", "platform js react", sort=Sort.RELEVANCE, among="react platform js"),
    case("title before text, whatever is newer", "welder guard", "welder ", among="guard welder"),
    # Who asks
    case("anybody finds what is public", "shady", "plumber "),
    case("nothing of a suspended organisation", "", "plumber ", reach=WARNED),
    case("members find all of their own", "draft shady", "plumber ", reach=OF_ACME),
    case("each of their own", "paused closed unlisted shady", "plumber ", reach=OF_CRANE),
    case(
        "those asked to it find it past drafting", "paused closed unlisted shady", "plumber ",
        related="draft paused closed unlisted",
    ),
    case("also of a suspended organisation", "shady", "plumber ", reach=WARNED, related="shady"),
    case("staff find all", "draft paused closed unlisted shady", "plumber ", reach=EVERYTHING),
    case("states among what may be found", "paused", "plumber ", reach=OF_CRANE, states=frozenset({"paused", "draft"})),
    case("no state at all", "", "plumber ", reach=EVERYTHING, states=frozenset()),
    # Parts of a list
    case("only among these", "js tig", among="tig js draft"),
    case("among none", "", among=""),
    case("without some", "react agency", "developer ", without="js welder"),
    case("nothing", "", nothing=True),
    # Facets
    case(
        "facets of what is found", "js react agency", "developer ",
        facets={
            Facet.COMMITMENT: {"contract": 2, "full_time": 1},
            Facet.ARRANGEMENT: {"remote": 1, "hybrid": 2},
            Facet.COUNTRY: {"DE": 2, "AT": 1},
            Facet.SKILL: {JAVASCRIPT: 1, REACT: 1},
            Facet.ORGANISATION: {ACME: 2, CRANE: 1},
        },
    ),
    case(
        "each without its own filter and under all others, skills under all", "js", "developer ",
        filters=by(
            commitment=commitment_in(["contract"]),
            country=offered_in(["DE"]),
            skill=asks_for_skill([JAVASCRIPT], or_narrower=True),
        ),
        facets={
            Facet.COMMITMENT: {"contract": 1, "full_time": 1},
            Facet.ARRANGEMENT: {"remote": 1},
            Facet.COUNTRY: {"DE": 1},
            Facet.SKILL: {JAVASCRIPT: 1},
            Facet.ORGANISATION: {ACME: 1},
        },
    ),
    case(
        "nobody is counted who is left out or may not be found", "tig", "fitter ", without="welder draft",
        facets={
            Facet.COMMITMENT: {"part_time": 1},
            Facet.ARRANGEMENT: {"onsite": 1},
            Facet.COUNTRY: {"DE": 1},
            Facet.SKILL: {TIG: 1},
            Facet.ORGANISATION: {BOLT: 1, CRANE: 1},
        },
    ),
    case("no facets of nothing", "", "astronaut ", facets={facet: {} for facet in Facet}),
    # People
    people("those who came last first", "lena tom ada yu"),
    people("by headline, titles and skills", "lena tom", "welder "),
    people("an earlier title", "ada", "javascript developer "),
    people("a label of a skill, or a narrower one", "tom ada", "js "),
    people("a headline or title, begun", "lena tom", "weld"),
    people("a slip", "lena tom", "weldre "),
    people("in Chinese", "yu", "软件工程师 "),
    people("a word and a place", "lena", "welder ", rule=stated({"livesIn": ["DE-BE"]}, Subject.CANDIDATE)),
    people(
        "unknown is not enough", "lena yu",
        rule=stated({**HOURS, "value": 30}, Subject.CANDIDATE),
    ),
    people("those open to offers", "lena", "welder ", open_to_offers=True),
    people("those who are not", "tom", "welder ", open_to_offers=False),
    people("nobody whom they blocked finds them", "", "web developer "),
    people("another organisation does", "max", "web ", reach=Reach(organisations=frozenset({BOLT}))),
    people("so does whoever has a second one", "max", "developer ", reach=OF_BOTH, without="ada"),
    people("nobody finds people without an organisation", "", reach=Reach()),
    people("staff find those who hide, and none that left", "lena hidden tom", "welder ", reach=EVERYTHING),
    people("by the newest, whatever is more relevant", "lena tom ada", sort=Sort.NEWEST, among="ada tom lena"),
    people(
        "facets of people", "lena tom ada yu",
        facets={
            Facet.COMMITMENT: {"full_time": 2, "contract": 1},
            Facet.COUNTRY: {"DE": 2, "AT": 1},
            Facet.SKILL: {WELDING: 1, TIG: 1, JAVASCRIPT: 1, REACT: 1, KUBERNETES: 1, CPP: 1},
        },
    ),
    people(
        "a facet of people without its own filter", "tom", "welder ",
        filters={
            Facet.COUNTRY: stated({"attribute": "country", "op": "eq", "value": "DE"}, Subject.CANDIDATE),
            Facet.SKILL: stated({"skill": TIG}, Subject.CANDIDATE),
        },
        facets={
            Facet.COMMITMENT: {"full_time": 1},
            Facet.COUNTRY: {"DE": 1},
            Facet.SKILL: {TIG: 1, JAVASCRIPT: 1},
        },
    ),
)  # fmt: skip
