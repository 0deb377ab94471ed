// A certified OpenID provider for tests: discovery, client credentials, authorization code with PKCE, refresh tokens that
// rotate, device flow, introspection, revocation. Log-in and consent happen by themselves, so that no person is needed.
import fs from 'node:fs';

const { Provider } = await import(process.env.LIBRARY);
const port = Number(process.env.PORT);
const issuer = `http://127.0.0.1:${port}`;
const day = 86400;
let tokenSeconds = 3600;

// A service client's token is for one mailbox, as an access policy of a mail host would have it.
const mailboxOf = { 'svc-alice': 'alice@tb.test', 'svc-support': 'support@tb.test' };
const services = Object.keys(mailboxOf).map((id) => ({
  client_id: id,
  client_secret: `${id}-secret`,
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  scope: 'imap pop smtp',
}));
const introspector = {
  client_id: 'dovecot',
  client_secret: 'dovecot-secret',
  token_endpoint_auth_method: 'client_secret_post',
  grant_types: [],
  redirect_uris: [],
  response_types: [],
};
const person = {
  client_id: 'mailrules-cli',
  token_endpoint_auth_method: 'none',
  application_type: 'native',
  grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
  redirect_uris: ['http://127.0.0.1/callback'],
  response_types: ['code'],
  scope: 'openid offline_access email imap pop smtp',
};

// What is granted outlives a restart, as it does everywhere: one file, written anew after each change.
const file = process.env.STORE;
const kept = new Map(fs.existsSync(file) ? JSON.parse(fs.readFileSync(file)) : []);
const keep = () => fs.writeFileSync(file, JSON.stringify([...kept]));

class Kept {
  constructor(model) { this.model = model; }
  async upsert(id, payload, seconds) { kept.set(`${this.model}:${id}`, { payload, until: Date.now() + 1000 * (seconds ?? day) }); keep(); }
  async find(id) { return this.one(([key]) => key === `${this.model}:${id}`); }
  async findByUid(uid) { return this.one(([key, { payload }]) => key.startsWith('Session:') && payload.uid === uid); }
  async findByUserCode(code) { return this.one(([key, { payload }]) => key.startsWith('DeviceCode:') && payload.userCode === code); }
  async consume(id) { kept.get(`${this.model}:${id}`).payload.consumed = Math.floor(Date.now() / 1000); keep(); }
  async destroy(id) { kept.delete(`${this.model}:${id}`); keep(); }
  async revokeByGrantId(grantId) { this.drop(({ payload }) => payload.grantId === grantId); }
  one(wanted) {
    this.drop(({ until }) => until < Date.now());
    return [...kept].find(wanted)?.[1].payload;
  }
  drop(unwanted) {
    const gone = [...kept].filter(([, held]) => unwanted(held));
    for (const [key] of gone) kept.delete(key);
    if (gone.length) keep();
  }
}

const provider = new Provider(issuer, {
  adapter: Kept,
  clients: [...services, introspector, person],
  scopes: ['openid', 'offline_access', 'email', 'imap', 'pop', 'smtp'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  cookies: { keys: ['testbed'] },
  pkce: { required: () => true },
  ttl: {
    AccessToken: () => tokenSeconds,
    ClientCredentials: () => tokenSeconds,
    RefreshToken: day,
    DeviceCode: 600,
    AuthorizationCode: 60,
    Interaction: 600,
    Grant: day,
    Session: day,
    IdToken: 3600,
  },
  rotateRefreshToken: true,
  issueRefreshToken: async (ctx, client, code) =>
    client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  findAccount: async (ctx, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, email: id, email_verified: true }),
  }),
  // Dovecot reads the user's name from "email" of the introspection answer.
  extraTokenClaims: async (ctx, token) => ({ email: token.accountId ?? mailboxOf[token.clientId] }),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: async () => true },
    revocation: { enabled: true, allowedPolicy: async () => true },
    deviceFlow: {
      enabled: true,
      mask: '****-****',
      userCodeInputSource: async (ctx, form) => { ctx.body = form; },
      userCodeConfirmSource: async (ctx, form) => { ctx.body = form; },
      successSource: async (ctx) => { ctx.body = 'done'; },
    },
  },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
});

async function grantTo(accountId, clientId, scope, grantId) {
  const grant = (grantId && (await provider.Grant.find(grantId))) || new provider.Grant({ accountId, clientId });
  grant.addOIDCScope(scope);
  return grant.save();
}

// Log in and consent at once, as login_hint says.
async function interact(ctx) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(ctx.req, ctx.res);
  const answer = prompt.name === 'login'
    ? { login: { accountId: params.login_hint ?? 'alice@tb.test' } }
    : { consent: { grantId: await grantTo(session.accountId, params.client_id, params.scope, grantId) } };
  const mergeWithLastSubmission = prompt.name !== 'login';
  return provider.interactionFinished(ctx.req, ctx.res, answer, { mergeWithLastSubmission });
}

// What a person does on another screen: {"user_code": ..., "account": ...}, or "deny": true.
async function approve(ctx, { user_code: userCode, account, deny }) {
  const bare = userCode.replaceAll('-', '').toUpperCase();
  const code = await provider.DeviceCode.findByUserCode(bare, { ignoreExpiration: true });
  if (!code) ctx.throw(404, 'no such user_code');
  if (deny) {
    Object.assign(code, { error: 'access_denied', errorDescription: 'the person said no' });
  } else {
    const { scope } = code.params;
    const grantId = await grantTo(account, code.clientId, scope);
    const authTime = Math.floor(Date.now() / 1000);
    const session = { sessionUid: 'testbed', expiresWithSession: false };
    Object.assign(code, { accountId: account, grantId, scope, claims: {}, authTime, ...session });
  }
  await code.save(600);
}

async function setLifetime(ctx, { seconds }) {
  tokenSeconds = seconds;
}

const controls = { '/testbed/approve': approve, '/testbed/lifetime': setLifetime };
provider.use(async (ctx, next) => {
  if (ctx.path.startsWith('/interaction/')) return interact(ctx);
  if (!(ctx.path in controls)) return next();
  const chunks = [];
  for await (const chunk of ctx.req) chunks.push(chunk);
  await controls[ctx.path](ctx, JSON.parse(Buffer.concat(chunks).toString()));
  ctx.body = { ok: true };
  return undefined;
});

for (const event of ['server_error', 'grant.error', 'introspection.error', 'authorization.error'])
  provider.on(event, (ctx, error) => console.log(event, error?.message, error?.error_description ?? ''));
provider.listen(port, '127.0.0.1', () => console.log(`listening on ${issuer}`));
