// OAuth with the official TypeScript SDK of MCP, for oauth.py: prints where the person is to go, reads where the person was sent
// back to, and prints the names of the tools, before and after it has renewed its token.
//
//     node oauth_client.mjs NODE_FOLDER SERVER REDIRECT
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [folder, server, redirect] = process.argv.slice(2);
const require = createRequire(`${folder}/package.json`);
const load = (path) => import(pathToFileURL(require.resolve(`@modelcontextprotocol/sdk/${path}`)));
const { Client } = await load('client/index.js');
const { StreamableHTTPClientTransport } = await load('client/streamableHttp.js');
const { auth, UnauthorizedError } = await load('client/auth.js');

const kept = {};
const provider = {
  redirectUrl: redirect,
  clientMetadata: {
    client_name: 'TypeScript SDK',
    redirect_uris: [redirect],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
  state: () => 'st4te',
  clientInformation: () => kept.client,
  saveClientInformation: (client) => { kept.client = client; },
  tokens: () => kept.tokens,
  saveTokens: (tokens) => { kept.tokens = tokens; },
  redirectToAuthorization: (url) => console.log(`go to ${url}`),
  saveCodeVerifier: (verifier) => { kept.verifier = verifier; },
  codeVerifier: () => kept.verifier,
};

async function tools() {
  const client = new Client({ name: 'test', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(server), { authProvider: provider });
  try {
    await client.connect(transport);
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    return transport;
  }
  const { tools } = await client.listTools();
  await client.close();
  console.log(`tools ${tools.map((tool) => tool.name).join(' ')}`);
}

const refused = await tools();
if (!refused) throw new Error('served without a token');
const [line] = await new Promise((resolve) => createInterface({ input: process.stdin }).once('line', (line) => resolve([line])));
await refused.finishAuth(JSON.parse(line).code);
await tools();
const before = kept.tokens;
const renewed = await auth(provider, { serverUrl: server });
if (renewed !== 'AUTHORIZED' || kept.tokens.access_token === before.access_token) throw new Error('not renewed');
if (kept.tokens.refresh_token === before.refresh_token) throw new Error('the refresh token is the old one');
await tools();
process.exit(0);
