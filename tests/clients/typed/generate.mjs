// GraphQL Code Generator: types of `operations.graphql`, and of all that the schema beside it has.
import { readFileSync, writeFileSync } from 'node:fs';
import { codegen } from '@graphql-codegen/core';
import * as documents from '@graphql-codegen/typed-document-node';
import * as operations from '@graphql-codegen/typescript-operations';
import * as types from '@graphql-codegen/typescript';
import { parse } from 'graphql';

const read = (name) => parse(readFileSync(new URL(name, import.meta.url), 'utf8'));
const config = {
  useTypeImports: true,
  enumsAsTypes: true,
  strictScalars: true,
  scalars: { BigInt: 'number', Date: 'string', DateTime: 'string', Decimal: 'string', JSON: 'unknown' },
};
const schema = read('schema.graphql');
const asked = [{ location: 'operations.graphql', document: read('operations.graphql') }];

async function write(filename, pluginMap) {
  const plugins = Object.keys(pluginMap).map((name) => ({ [name]: {} }));
  const text = await codegen({ filename, schema, documents: asked, config, plugins, pluginMap });
  writeFileSync(new URL(filename, import.meta.url), text);
}

await write('types.ts', { types });
await write('generated.ts', { operations, documents });
