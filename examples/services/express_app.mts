// An Express service that verifies access tokens. Requires express and jose.
import express, { type RequestHandler, type Response } from "express";
import { createRemoteJWKSet, jwtVerify } from "jose";

const { ROSTER_URL = "", AUDIENCE = "", PORT = "3000" } = process.env;
const { ROSTER_CLIENT_ID = "", ROSTER_CLIENT_SECRET = "" } = process.env;
const jwks = new URL("/.well-known/jwks.json", ROSTER_URL);
const keys = createRemoteJWKSet(jwks, { cacheMaxAge: 300_000 });
const rules = { algorithms: ["RS256"], audience: AUDIENCE, issuer: ROSTER_URL, typ: "at+jwt" };
const client = { Authorization: `Basic ${btoa(`${ROSTER_CLIENT_ID}:${ROSTER_CLIENT_SECRET}`)}` };
const reject = (response: Response) => response.set("WWW-Authenticate", "Bearer").sendStatus(401);

/** Verifies the token of a user, not of a client; roles and sessions are up to 5 minutes old. */
const verified: RequestHandler = async ({ headers }, response, next) => {
  const token = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1] ?? "";
  try {
    response.locals = { user: (await jwtVerify(token, keys, rules)).payload, token };
    if (response.locals.user.sub === response.locals.user.client_id) return void reject(response);
  } catch (error) {
    const { code = "" } = error as { code?: string };
    const invalid = /^ERR_(JWT|JWS|JOSE_ALG|JOSE_NOT_SUPPORTED|JWKS_NO_MATCHING_KEY)/.test(code);
    return void (invalid ? reject(response) : response.sendStatus(503));
  }
  next();
};

/** Asks Roster, too, where the end of a session must count at once. */
const active: RequestHandler = async (_, response, next) => {
  const body = new URLSearchParams({ token: response.locals.token });
  const options = { method: "POST", body, headers: client, signal: AbortSignal.timeout(5000) };
  const answer = await fetch(`${ROSTER_URL}/oauth/introspect`, options).catch(() => undefined);
  if (!answer?.ok) return void response.sendStatus(503);
  return (await answer.json()).active ? next() : void reject(response);
};

const app = express();
app.get("/orders", verified, (_, response) => {
  response.json({ user: response.locals.user.sub, roles: response.locals.user.roles });
});
app.post("/payments", verified, active, (_, response) => {
  response.json({ paid_by: response.locals.user.sub });
});
app.listen(Number(PORT), "127.0.0.1");
