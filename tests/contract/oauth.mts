// Uses oauth4webapi, a certified library, as a service and as a client of Roster; prints JSON.
// node oauth.mjs <base URL> <audience> <client ID> <client secret> < tokens by name, as JSON
import { text } from "node:stream/consumers";
import * as oauth from "oauth4webapi";

const [base, audience, id, secret] = process.argv.slice(2) as [string, string, string, string];
const tokens: Record<string, string> = JSON.parse(await text(process.stdin));
// The service of the test has no certificate.
const insecure = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(base);
const client = { client_id: id };
const authentication = oauth.ClientSecretBasic(secret);

async function discover(algorithm: "oauth2" | "oidc"): Promise<oauth.AuthorizationServer> {
  const response = await oauth.discoveryRequest(issuer, { algorithm, ...insecure });
  return oauth.processDiscoveryResponse(issuer, response);
}

/** Returns the subject of an access token (RFC 9068), or "rejected". */
async function validate(server: oauth.AuthorizationServer, token: string): Promise<string> {
  const headers = { Authorization: `Bearer ${token}` };
  const request = new Request(`${audience}/orders`, { headers });
  try {
    return (await oauth.validateJwtAccessToken(server, request, audience, insecure)).sub;
  } catch (error) {
    if (error instanceof oauth.OperationProcessingError || error instanceof oauth.UnsupportedOperationError) {
      return "rejected";
    }
    throw error;
  }
}

async function introspect(server: oauth.AuthorizationServer, token: string): Promise<boolean> {
  const response = await oauth.introspectionRequest(server, client, authentication, token, insecure);
  return (await oauth.processIntrospectionResponse(server, client, response)).active;
}

const server = await discover("oauth2");
const observed: Record<string, unknown> = {
  discovered: [server.issuer, (await discover("oidc")).issuer],
  validated: {} as Record<string, string>,
  introspected: {} as Record<string, boolean>,
};
for (const [name, token] of Object.entries(tokens)) {
  (observed.validated as Record<string, string>)[name] = await validate(server, token);
  if (token) (observed.introspected as Record<string, boolean>)[name] = await introspect(server, token);
}

const granted = await oauth.clientCredentialsGrantRequest(server, client, authentication, { audience }, insecure);
const own = await oauth.processClientCredentialsResponse(server, client, granted);
observed.clientCredentials = await validate(server, own.access_token);

const grant = "urn:ietf:params:oauth:grant-type:token-exchange";
const exchange = {
  audience,
  subject_token: tokens.session ?? "",
  subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
};
const exchanged = await oauth.genericTokenEndpointRequest(server, client, authentication, grant, exchange, insecure);
const result = await oauth.processGenericTokenEndpointResponse(server, client, exchanged);
observed.exchanged = await validate(server, result.access_token);
console.log(JSON.stringify(observed));
