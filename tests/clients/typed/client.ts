// What a frontend writes: that it compiles under --strict says that the schema's types are fit to be relied on.
import type { ResultOf, VariablesOf } from '@graphql-typed-document-node/core';
import type { AcceptDocument, ExploreDocument } from './generated';

type Explore = typeof ExploreDocument;
type Accept = typeof AcceptDocument;

export function titles(page: ResultOf<Explore>): string[] {
  return page.opportunities.nodes.map((one) => `${one.title} at ${one.postingOrganisation.name}`);
}

export function accepted(answer: ResultOf<Accept>): string {
  const told = answer.acceptOffer;
  switch (told.__typename) {
    case 'Offer':
      return told.placement?.startsOn ?? told.state;
    case 'AcceptOfferRefused':
      return told.code === 'SEATS_FILLED' ? 'too late' : told.message;
  }
}

export const variables: VariablesOf<Explore> = { filter: { countries: ['DE'] }, first: 10 };
// @ts-expect-error - a filter that the schema has not
export const wrong: VariablesOf<Explore> = { filter: { planets: ['Mars'] } };
// @ts-expect-error - a title is a text
export const length: (page: ResultOf<Explore>) => number = (page) => page.opportunities.nodes[0]!.title;
