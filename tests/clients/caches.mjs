// Apollo Client and urql, each with its cache: `node caches.mjs ADDRESS TOKEN`.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { relayStylePagination } from '@apollo/client/utilities';
import { Client, cacheExchange, fetchExchange, gql as urqlGql } from '@urql/core';

const [url, token] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}` };
const suffix = createHash('sha256').update(`${process.pid} ${Date.now()}`).digest('hex').slice(0, 12);

// --- Apollo: a page and the next one, merged in the cache; a mutation once; a refused operation.

const cache = new InMemoryCache({
  possibleTypes: { Refusal: ['CreateOrganisationRefused'] },
  typePolicies: { Query: { fields: { skills: relayStylePagination() } } },
});
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const link = ApolloLink.from([new PersistedQueryLink({ sha256 }), new HttpLink({ uri: url, headers })]);
const apollo = new ApolloClient({ link, cache, clientAwareness: { name: 'apollo-test', version: '1' } });

const EXPLORE = gql`
  query Explore($after: String) {
    skills(first: 2, after: $after) {
      edges {
        cursor
        node {
          id
          name
          broader {
            id
            name
          }
        }
      }
      pageInfo {
        endCursor
        hasNextPage
      }
      totalCount
    }
  }
`;
const watched = apollo.watchQuery({ query: EXPLORE });
const before = await new Promise((resolve, reject) => {
  watched.subscribe({ next: ({ loading, data }) => loading || resolve(data), error: reject });
});
assert.equal(before.skills.edges.length, 2);
await watched.fetchMore({ variables: { after: before.skills.pageInfo.endCursor } });
assert.equal(cache.readQuery({ query: EXPLORE }).skills.edges.length, 4);

const FOUND = gql`
  mutation Found($input: CreateOrganisationInput!) {
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
const input = { name: `Works ${suffix}`, idempotencyKey: suffix };
const once = await apollo.mutate({ mutation: FOUND, variables: { input } });
const twice = await apollo.mutate({ mutation: FOUND, variables: { input } });
assert.equal(once.data.createOrganisation.__typename, 'Organisation');
assert.deepEqual(twice.data, once.data);
const other = await apollo.mutate({ mutation: FOUND, variables: { input: { ...input, name: 'Mills' } } });
assert.equal(other.data.createOrganisation.code, 'IDEMPOTENCY_KEY_REUSED');
const tooMany = { query: gql`query { skills(first: 1000) { totalCount } }`, fetchPolicy: 'no-cache' };
await assert.rejects(apollo.query(tooMany), (error) => {
  assert.equal(error.errors[0].extensions.code, 'INVALID_INPUT');
  return true;
});

// --- urql: short queries go by GET, mutations never do.

const methods = [];
const urql = new Client({
  url,
  exchanges: [cacheExchange, fetchExchange],
  preferGetMethod: true,
  fetchOptions: { headers },
  fetch: (address, options) => {
    methods.push(options.method);
    return fetch(address, options);
  },
});
const page = await urql.query(urqlGql`query { skills(first: 2) { nodes { id name } totalCount } }`, {}).toPromise();
assert.equal(page.error, undefined);
assert.equal(page.data.skills.nodes.length, 2);
const same = await urql.mutation(urqlGql(FOUND.loc.source.body), { input }).toPromise();
assert.equal(same.error, undefined);
assert.equal(same.data.createOrganisation.id, once.data.createOrganisation.id);
assert.deepEqual(methods, ['GET', 'POST']);
const wrong = await urql.query(urqlGql`query { skills(first: 1000) { totalCount } }`, {}).toPromise();
assert.equal(wrong.error.graphQLErrors[0].extensions.code, 'INVALID_INPUT');
console.log('ok');
