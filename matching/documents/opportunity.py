"""The opportunity index: the projection of each opportunity as an Elasticsearch document, in a strict mapping."""

from __future__ import annotations

from typing import Any

from django_elasticsearch_dsl import Document
from django_elasticsearch_dsl.registries import registry
from elasticsearch.dsl import Keyword, Long, LongRange, MetaField

from matching.core.opportunity_attributes import OPPORTUNITY_ATTRIBUTES
from matching.core.search.query import OPENINGS
from matching.documents.encoding import (
    attribute_fields,
    attribute_values,
    microseconds,
    stated,
    word_fields,
    word_values,
)
from matching.models import OpportunityProjection
from matching.queries.openings import opening_from


class OpportunityDocument(Document):
    id = Long()
    state = Keyword()
    visibility = Keyword()
    organisation = Long()  # who posted it
    title = Keyword()  # folded; keywords are sorted byte by byte, which orders them as Python does
    listed_at = Long()  # microseconds, as is the next
    closes_at = Long()
    pay = LongRange()  # of each band, cents of euros a year
    most_pay = Long()
    words = word_fields(OPENINGS)

    class Meta:
        dynamic = MetaField("strict")

    class Django:
        model = OpportunityProjection
        auto_refresh = False
        ignore_signals = True

    def prepare(self, instance: OpportunityProjection) -> dict[str, Any]:
        opening = opening_from(instance)
        return stated(
            {
                **attribute_values(OPPORTUNITY_ATTRIBUTES.values(), opening.facts),
                "id": opening.pk,
                "state": opening.state,
                "visibility": opening.visibility,
                "organisation": opening.organisation,
                "title": opening.title,
                "listed_at": microseconds(opening.listed_at),
                "closes_at": microseconds(opening.closes_at),
                "pay": [{"gte": least, "lte": most} for least, most in opening.pay],
                "most_pay": opening.most_pay,
                "words": word_values(opening.text),
            }
        )


for _name, _field in attribute_fields(OPPORTUNITY_ATTRIBUTES.values()).items():
    OpportunityDocument._doc_type.mapping.field(_name, _field)
registry.register_document(OpportunityDocument)
