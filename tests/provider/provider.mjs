// A real OpenID Connect provider for tests, whose faults can be switched on.
//
// Started with one argument, a JSON object of settings; prints one line of JSON when it listens: its issuer, and the
// address where it can be reached without TLS. Ends when its standard input does. Below /control it is told what to do
// and says what it has done.
import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { once } from 'node:events';

import Provider from 'oidc-provider';

const settings = {
  accessTokenLife: 60,
  refreshTokenLife: 3600,
  audience: 'https://api.test',
  // Access tokens that only the provider can read.
  opaque: false,
  algorithm: 'RS256',
  // Whether each refresh token works once, and a second use ends the login.
  rotate: true,
  // The files of a certificate and its key: { cert, key }. With them its endpoints are behind TLS.
  tls: undefined,
  ...JSON.parse(process.argv[2] ?? '{}'),
};

const client = {
  client_id: 'gateway',
  client_secret: 'gateway-secret',
  redirect_uris: ['http://127.0.0.1/callback'],
  post_logout_redirect_uris: [],
  grant_types: ['authorization_code', 'refresh_token', 'password'],
  response_types: ['code'],
  token_endpoint_auth_method: 'client_secret_basic',
  id_token_signed_response_alg: settings.algorithm,
  ...settings.client,
};
const publicClient = {
  ...client,
  client_id: 'public',
  client_secret: undefined,
  token_endpoint_auth_method: 'none',
};
const postingClient = { ...client, client_id: 'posting', token_endpoint_auth_method: 'client_secret_post' };

const rows = new Map();
const grants = new Map();

// Everything in memory, and clients as they are now: a gateway's port is known only when it listens.
class Memory {
  constructor(model) {
    this.model = model;
  }
  key(id) {
    return `${this.model}:${id}`;
  }
  async upsert(id, payload, expiresIn) {
    rows.set(this.key(id), { payload, until: expiresIn ? Date.now() + expiresIn * 1000 : Infinity });
    if (payload.grantId && this.model !== 'Session') {
      const ids = grants.get(payload.grantId) ?? new Set();
      grants.set(payload.grantId, ids.add(this.key(id)));
    }
  }
  async find(id) {
    if (this.model === 'Client') {
      return [client, publicClient, postingClient].find((known) => known.client_id === id);
    }
    const row = rows.get(this.key(id));
    return row && Date.now() < row.until ? row.payload : undefined;
  }
  async findByUid(uid) {
    for (const [key, { payload }] of rows) {
      if (key.startsWith(`${this.model}:`) && payload.uid === uid) return payload;
    }
    return undefined;
  }
  async findByUserCode() {
    return undefined;
  }
  async consume(id) {
    const row = rows.get(this.key(id));
    if (row) row.payload.consumed = Math.floor(Date.now() / 1000);
  }
  async destroy(id) {
    rows.delete(this.key(id));
  }
  async revokeByGrantId(grantId) {
    for (const key of grants.get(grantId) ?? []) rows.delete(key);
    grants.delete(grantId);
  }
}

const keys = [];

function addKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = privateKey.export({ format: 'jwk' });
  keys.unshift({ ...jwk, kid: randomUUID(), use: 'sig' });
}

function account(id) {
  const claims = { email: `${id}@example.test`, email_verified: true, name: id, roles: ['reader'] };
  return { accountId: id, claims: async () => ({ sub: id, ...claims }) };
}

function provider(issuer) {
  const configuration = {
    adapter: Memory,
    jwks: { keys },
    cookies: { keys: ['for tests'] },
    claims: { openid: ['sub', 'sid'], email: ['email', 'email_verified'], profile: ['name', 'roles'] },
    scopes: ['openid', 'email', 'profile', 'offline_access'],
    conformIdTokenClaims: false,
    findAccount: (_, id) => account(id),
    clientBasedCORS: () => false,
    pkce: { required: () => false },
    rotateRefreshToken: settings.rotate,
    issueRefreshToken: async () => true,
    responseTypes: ['code'],
    ttl: {
      AccessToken: settings.accessTokenLife,
      IdToken: 3600,
      RefreshToken: settings.refreshTokenLife,
      Session: 86400,
      Grant: 86400,
      Interaction: 3600,
      AuthorizationCode: 60,
    },
    features: {
      introspection: { enabled: true },
      revocation: { enabled: true },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      resourceIndicators: {
        enabled: !settings.opaque,
        defaultResource: () => settings.audience,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'openid email profile offline_access',
          audience: settings.audience,
          accessTokenTTL: settings.accessTokenLife,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: settings.algorithm } },
        }),
      },
    },
  };
  const made = new Provider(issuer, configuration);
  made.proxy = false;
  const parameters = ['username', 'password', 'scope'];
  made.registerGrantType('password', passwordGrant, parameters);
  made.use(faulty);
  made.use(framing);
  const { includeSid } = made.Client.prototype;
  made.Client.prototype.includeSid = function () {
    return includeSid.call(this) || client.frontchannel_logout_session_required;
  };
  made.on('server_error', (_, error) => console.error(error));
  return made;
}

// RFC 6749, section 4.3. Everybody's password is `secret`.
async function passwordGrant(ctx, next) {
  const { username, password, scope } = ctx.oidc.params;
  if (password !== 'secret') {
    ctx.status = 400;
    ctx.body = { error: 'invalid_grant' };
    return;
  }
  ctx.body = await login(ctx.oidc.provider, ctx.oidc.client, username, scope ?? 'openid');
  await next();
}

// The tokens of somebody who has logged in.
async function login(from, who, accountId, scope) {
  const grant = new from.Grant({ clientId: who.clientId, accountId });
  grant.addOIDCScope(scope);
  if (!settings.opaque) grant.addResourceScope(settings.audience, scope);
  const grantId = await grant.save();
  const common = {
    accountId, client: who, grantId, gty: 'password', scope,
    expiresWithSession: false,
  };
  const access = new from.AccessToken(common);
  if (!settings.opaque) {
    const { ResourceServer } = from;
    access.resourceServer = new ResourceServer(settings.audience, {
      scope, audience: settings.audience, accessTokenTTL: settings.accessTokenLife,
      accessTokenFormat: 'jwt', jwt: { sign: { alg: settings.algorithm } },
    });
  }
  access.setAudience?.(settings.audience);
  const access_token = await access.save();
  const sid = randomUUID();
  const refresh = new from.RefreshToken({
    ...common, sid, rotations: 0, ...(settings.opaque ? {} : { resource: settings.audience }),
  });
  const refresh_token = await refresh.save();
  const id = new from.IdToken({ sub: accountId, ...(await account(accountId).claims()) }, { client: who });
  id.scope = scope;
  id.set('sid', sid);
  const id_token = await id.issue({ use: 'idtoken' });
  return { access_token, refresh_token, id_token, token_type: 'Bearer', expires_in: access.expiration, scope };
}

// What is to go wrong, by path: { status, hang (milliseconds), reset, cut, tear, omit: [members], times }.
const faults = new Map();
const calls = [];

async function faulty(ctx, next) {
  const { path } = ctx;
  const call = { path, at: Date.now() };
  calls.push(call);
  const fault = faults.get(path);
  if (fault?.times !== undefined && --fault.times <= 0) faults.delete(path);
  if (fault?.hang) await new Promise((done) => setTimeout(done, fault.hang));
  // Nobody waits for it any more: it has not happened.
  if (ctx.req.socket.destroyed) return;
  if (fault?.reset) {
    ctx.respond = false;
    ctx.req.socket.resetAndDestroy();
    return;
  }
  if (fault?.status) {
    ctx.status = fault.status;
    ctx.body = fault.body ?? { error: 'temporarily_unavailable' };
    for (const [name, value] of Object.entries(fault.headers ?? {})) ctx.set(name, value);
    return;
  }
  await next();
  call.grant = ctx.oidc?.params?.grant_type;
  const sent = ctx.oidc?.params?.refresh_token;
  if (sent) call.refresh = createHash('sha256').update(sent).digest('hex').slice(0, 16);
  call.status = ctx.status;
  call.error = ctx.body?.error;
  if (fault?.cut) {
    // It has done what it was asked for, and nobody will know.
    ctx.respond = false;
    ctx.req.socket.destroy();
    return;
  }
  if (fault?.tear) {
    // Half of the answer arrives, and then nobody is there any more.
    ctx.respond = false;
    const text = JSON.stringify(ctx.body);
    ctx.res.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length });
    ctx.res.write(text.slice(0, text.length / 2), () => ctx.req.socket.resetAndDestroy());
    return;
  }
  for (const member of fault?.omit ?? []) delete ctx.body?.[member];
}

// OpenID Connect Front-Channel Logout, which the library had and has no more: when a login has ended, a page with a frame
// for the client, which goes on when the frame has loaded.
async function framing(ctx, next) {
  await next();
  const { session } = ctx.oidc ?? {};
  const frame = client.frontchannel_logout_uri;
  const sid = session?.authorizations && session.sidFor(client.client_id);
  if (ctx.path !== '/session/end/confirm' || ctx.status !== 303 || !frame || !sid) return;
  const url = new URL(frame);
  url.searchParams.set('iss', issuer);
  url.searchParams.set('sid', sid);
  const on = JSON.stringify(ctx.response.get('location'));
  ctx.remove('location');
  ctx.status = 200;
  ctx.type = 'html';
  ctx.body = `<!DOCTYPE html><title>Logged out</title><iframe hidden src="${url.href.replaceAll('&', '&amp;')}"
    onload='location.replace(${on})'></iframe>`;
}

let current;
let issuer;

const control = {
  calls: async () => calls,
  client: async (changes) => Object.assign(client, changes),
  fault: async ({ path, ...fault }) => {
    if (Object.keys(fault).length === 0) faults.delete(path);
    else faults.set(path, fault);
    return {};
  },
  login: async ({ sub, scope, client: id }) => {
    const who = await current.Client.find(id ?? 'gateway');
    return login(current, who, sub, scope ?? 'openid email profile offline_access');
  },
  // The end of a login, as an administrator decides it.
  revoke: async () => {
    for (const [key] of rows) if (/^(AccessToken|RefreshToken|Grant):/.test(key)) rows.delete(key);
    return {};
  },
  rotate: async ({ keep }) => {
    if (!keep) keys.length = 0;
    addKey();
    current = provider(issuer);
    return {};
  },
  set: async (changes) => {
    Object.assign(settings, changes);
    current = provider(issuer);
    return {};
  },
};

async function steer(request, response) {
  let body = '';
  for await (const piece of request) body += piece;
  const answer = await control[request.url.slice('/control/'.length)](JSON.parse(body || '{}'));
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(answer));
}

function serve(request, response) {
  const work = request.url.startsWith('/control/')
    ? steer(request, response)
    : current.callback()(request, response);
  Promise.resolve(work).catch((error) => {
    console.error(error);
    response.statusCode = 500;
    response.end(String(error));
  });
}

async function listening(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `127.0.0.1:${server.address().port}`;
}

async function secured({ cert, key }) {
  const files = { cert: readFileSync(cert), key: readFileSync(key) };
  return `https://${await listening(createSecureServer(files, serve))}`;
}

const address = await listening(createServer(serve));
issuer = settings.tls ? await secured(settings.tls) : `http://${address}`;
addKey();
current = provider(issuer);
console.log(JSON.stringify({ issuer, address }));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
