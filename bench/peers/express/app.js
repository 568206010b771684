// `GET /v1/users/{id}` as a team would write it with Express.

import express from "express";
import { findCaller, visible } from "./store.js";

/** The application on a DynamoDB document client. */
export function createApp(dynamodb) {
  const app = express();
  app.disable("x-powered-by");
  app.get("/health", (request, response) => response.json({ status: "ok" }));
  app.get("/v1/users/:id", signedIn(dynamodb), readUser);
  return app;
}

/** Lets nobody pass without the token of a living session; the handler finds `request.caller`. */
function signedIn(dynamodb) {
  return async (request, response, next) => {
    const [scheme, token = ""] = (request.get("authorization") ?? "").split(" ");
    const isBearer = scheme.toLowerCase() === "bearer";
    request.caller = isBearer ? await findCaller(dynamodb, token, request.params.id) : null;
    if (request.caller) return next();
    response.status(401).set("WWW-Authenticate", "Bearer").json({ detail: "Sign in first." });
  };
}

/** The user itself and admins may read a user; to others it does not exist. */
function readUser(request, response) {
  const found = visible(request.caller, request.params.id);
  if (found) response.json(shown(found));
  else response.status(404).json({ detail: "No such user." });
}

/** A user as the API shows it. */
function shown(user) {
  return {
    id: user.id,
    username: user.username,
    email: user.email,
    email_verified: user.email_verified,
    full_name: user.full_name ?? null,
    status: user.status,
    roles: user.roles,
    metadata: JSON.parse(user.metadata),
    created_at: moment(user.created_at),
    updated_at: moment(user.updated_at),
    last_login_at: user.last_login_at === undefined ? null : moment(user.last_login_at),
  };
}

// The table has milliseconds, the API shows seconds.
function moment(milliseconds) {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
