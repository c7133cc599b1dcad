// What relay-compiler made, run by Relay's own runtime: `node relay/run.mjs ADDRESS TOKEN`.
import assert from 'node:assert/strict';
import relay from 'relay-runtime';
import explore from './src/__generated__/documentsExploreQuery.graphql.js';
import page from './src/__generated__/documents_page.graphql.js';
import card from './src/__generated__/documents_card.graphql.js';
import again from './src/__generated__/documentsCardQuery.graphql.js';
import found from './src/__generated__/documentsFoundMutation.graphql.js';

const { Environment, Network, RecordSource, Store, commitMutation, createOperationDescriptor, fetchQuery, getSelector } =
  relay;
const [url, token] = process.argv.slice(2);

async function ask(request, variables) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/graphql-response+json',
      Authorization: `Bearer ${token}`,
    },
    body: JSON.stringify({ query: request.text, variables, operationName: request.name }),
  });
  return response.json();
}

const environment = new Environment({ network: Network.create(ask), store: new Store(new RecordSource()) });

function read(fragment, reference) {
  return environment.lookup(getSelector(fragment, reference)).data;
}

async function skills(variables) {
  const data = await fetchQuery(environment, explore, variables).toPromise();
  assert.equal(typeof data.viewer.isStaff, 'boolean');
  const root = environment.lookup(createOperationDescriptor(explore, variables).fragment).data;
  return read(page, root).skills;
}

const first = await skills({ count: 2 });
assert.equal(first.edges.length, 2);
assert.ok(first.pageInfo.hasNextPage);
await skills({ count: 2, after: first.pageInfo.endCursor });
const root = environment.lookup(createOperationDescriptor(explore, { count: 2 }).fragment).data;
const all = read(page, root).skills.edges;
assert.equal(new Set(all.map((edge) => edge.node.id)).size, 4, 'the second page was added to the first');

const { name } = read(card, all[3].node);
const answer = await fetchQuery(environment, again, { id: all[3].node.id }).toPromise();
assert.equal(read(card, answer.node).name, name, 'a node is fetched again by its id');

const refused = await new Promise((resolve, reject) =>
  commitMutation(environment, {
    mutation: found,
    variables: { input: { name: ' ' } },
    onCompleted: resolve,
    onError: reject,
  }),
);
assert.equal(refused.createOrganisation.code, 'INVALID_INPUT');
console.log('ok');
