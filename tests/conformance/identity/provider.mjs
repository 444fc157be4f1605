// oidc-provider (panva), an OpenID provider of others: node provider.mjs MODULES ISSUER PORT REDIRECT LOGOUT
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import path from 'node:path';

const [modules, issuer, port, redirect, logout] = process.argv.slice(2);
const require = createRequire(path.join(modules, 'package.json'));
const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'troth',
    client_secret: 'a secret of the client',
    redirect_uris: [redirect],
    backchannel_logout_uri: logout,
    backchannel_logout_session_required: true,
  }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups'] },
  features: { backchannelLogout: { enabled: true } },
  cookies: { keys: ['a key of a test'] },
  // Its own fetch does not go to loopback, as ours does not; the tests' mailbox stands there.
  fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
  pkce: { required: () => true },
  async findAccount(_, id) {
    const claims = { sub: id, email: `${id}@acme.example.org`, email_verified: true, name: 'Ada', groups: ['x'] };
    return { accountId: id, async claims() { return claims; } };
  },
});
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
