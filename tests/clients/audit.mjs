// All audits of GraphQL over HTTP, of the package graphql-http: `node audit.mjs ADDRESS`. Prints each with its outcome.
import { serverAudits } from 'graphql-http';

const [url] = process.argv.slice(2);
const outcomes = await Promise.all(serverAudits({ url, fetchFn: fetch }).map((audit) => audit.fn()));
console.log(JSON.stringify(outcomes.map(({ id, name, status, reason }) => ({ id, name, status, reason }))));
