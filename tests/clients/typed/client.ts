// What a frontend writes: that it compiles under --strict says that the schema's types are fit to be relied on.
import { graphql } from './generated';
import type { ResultOf, VariablesOf } from '@graphql-typed-document-node/core';

const Explore = graphql(`
  query Explore($filter: OpportunityFilter, $first: Int, $after: String) {
    opportunities(filter: $filter, first: $first, after: $after) {
      nodes {
        id
        reference
        title
        state
        postingOrganisation {
          name
        }
        payBands {
          minimum
          maximum
          currency
          period
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
      totalCount
    }
  }
`);

const Accept = graphql(`
  mutation Accept($input: AcceptOfferInput!) {
    acceptOffer(input: $input) {
      __typename
      ... on Offer {
        reference
        state
        placement {
          startsOn
        }
      }
      ... on AcceptOfferRefused {
        code
        message
        data
      }
    }
  }
`);

export function titles(page: ResultOf<typeof Explore>): string[] {
  return page.opportunities.nodes.map((one) => `${one.title} at ${one.postingOrganisation.name}`);
}

export function accepted(answer: ResultOf<typeof Accept>): string {
  const told = answer.acceptOffer;
  switch (told.__typename) {
    case 'Offer':
      return told.placement?.startsOn ?? told.state;
    case 'AcceptOfferRefused':
      return told.code === 'SEATS_FILLED' ? 'too late' : told.message;
  }
}

export const variables: VariablesOf<typeof Explore> = { filter: { countries: ['DE'] }, first: 10 };
// @ts-expect-error - a filter that the schema has not
export const wrong: VariablesOf<typeof Explore> = { filter: { planets: ['Mars'] } };
