"""What is counted about searches, for `/metrics`. In the memory of the process that answers them."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

from matching.core.attributes import Subject

PREFERRED = "elasticsearch"
"""The only source that another one steps in for."""

SEARCHES = Counter("muster_searches", "Parts of searches, by how a source did.", ["source", "subject", "outcome"])
SECONDS = Histogram("muster_search_seconds", "How long the parts of searches took.", ["source", "subject"])
FALLBACKS = Counter("muster_search_fallbacks", "Searches that Postgres answered instead.", ["subject", "reason"])


def answered(source: str, subject: Subject, seconds: float) -> None:
    """A source answered, after so long."""
    SEARCHES.labels(source, subject.value, "answered").inc()
    SECONDS.labels(source, subject.value).observe(seconds)


def fell_back(subject: Subject, reason: str) -> None:
    """The preferred source did not answer, for that reason."""
    SEARCHES.labels(PREFERRED, subject.value, "unavailable").inc()
    FALLBACKS.labels(subject.value, reason).inc()
