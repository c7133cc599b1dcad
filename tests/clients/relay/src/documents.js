// What the compiler reads: a connection to page through, a refetchable fragment on it, and a mutation with a union.
import { graphql } from 'relay-runtime';

graphql`
  query documentsExploreQuery($count: Int!, $after: String) {
    viewer {
      isStaff
    }
    ...documents_page @arguments(count: $count, after: $after)
  }
`;

graphql`
  fragment documents_page on Query
  @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, after: { type: "String" })
  @refetchable(queryName: "documentsPageQuery") {
    skills(first: $count, after: $after) @connection(key: "documents_skills") {
      edges {
        node {
          id
          ...documents_card
        }
      }
    }
  }
`;

graphql`
  fragment documents_card on Skill @refetchable(queryName: "documentsCardQuery") {
    name
    kind
    broader {
      name
    }
  }
`;

graphql`
  mutation documentsFoundMutation($input: CreateOrganisationInput!) {
    createOrganisation(input: $input) {
      __typename
      ... on Organisation {
        id
        slug
      }
      ... on Refusal {
        code
        message
      }
    }
  }
`;
