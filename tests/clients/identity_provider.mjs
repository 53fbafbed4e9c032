// A company's identity provider, for oauth.py: npm's `oidc-provider` on a free port of the loopback. Whoever signs in as
// `name@group` is a member of `group`, and has the verified address `name@example.com`. Its tokens are signed with RS256; POST /rotate
// gives it a new key, and it keeps the one before. Programs register at /reg; with REDIRECT, there is a program already, `toolwright` with
// the secret `only for tests`, whose people come back there. HOST is the provider's name, `127.0.0.1` unless another is given.
//
//     node identity_provider.mjs NODE_FOLDER [HOST [REDIRECT]]
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [folder, host = '127.0.0.1', redirect] = process.argv.slice(2);
const programs = redirect
  ? [{ client_id: 'toolwright', client_secret: 'only for tests', redirect_uris: [redirect] }]
  : [];
const require = createRequire(`${folder}/package.json`);
const groups = (id) => ['staff', id.split('@')[1]];
const { default: Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));

function key() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg: 'RS256', use: 'sig' };
}

function provider(issuer, keys) {
  const scopes = ['jitbit:read', 'jitbit:write'];
  const made = new Provider(issuer, {
    jwks: { keys },
    clients: programs,
    cookies: { keys: ['only for tests'] },
    scopes: ['openid', 'offline_access', ...scopes],
    pkce: { required: () => true },
    claims: { openid: ['sub', 'groups'], email: ['email', 'email_verified'] },
    // Groups and address are in the identity that a program is given, too.
    conformIdTokenClaims: false,
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, groups: groups(id), email: `${id.split('@')[0]}@example.com`, email_verified: true }),
    }),
    extraTokenClaims: (_, token) => ({ groups: groups(token.accountId) }),
    features: {
      devInteractions: { enabled: true },
      registration: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: scopes.join(' '),
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  });
  made.on('server_error', (_, error) => console.error(error));
  return made.callback();
}

let keys = [key()];
let answer;
const server = createServer((request, response) => {
  if (request.method === 'POST' && request.url === '/rotate') {
    keys = [key(), ...keys];
    answer = provider(issuer, keys);
    response.writeHead(204).end();
    return;
  }
  answer(request, response);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://${host}:${server.address().port}`;
answer = provider(issuer, keys);
console.log(`at ${issuer}`);
