// `GET /v1/users/{id}` as a team would write it with Express.

import express from "express";
import { authenticate, visibleUser } from "./store.js";

/** Create the application on a DynamoDB document client. */
export function createApp(dynamodb) {
  const app = express();
  app.disable("x-powered-by");
  app.get("/health", (request, response) => response.json({ status: "ok" }));
  app.get("/v1/users/:id", signedIn(dynamodb), readUser);
  return app;
}

/** Require the token of a live session and set `request.principal`. */
function signedIn(dynamodb) {
  return async (request, response, next) => {
    const [scheme, token = ""] = (request.get("authorization") ?? "").split(" ");
    const isBearer = scheme.toLowerCase() === "bearer";
    request.principal = isBearer ? await authenticate(dynamodb, token, request.params.id) : null;
    if (request.principal) return next();
    response.status(401).set("WWW-Authenticate", "Bearer").json({ detail: "Sign in first." });
  };
}

/** Read a user. Only the user itself and admins may; others get a 404. */
function readUser(request, response) {
  const user = visibleUser(request.principal, request.params.id);
  if (user) response.json(toJson(user));
  else response.status(404).json({ detail: "No such user." });
}

/** A user as the API returns it. */
function toJson(user) {
  return {
    id: user.id,
    username: user.username,
    email: user.email,
    email_verified: user.email_verified,
    full_name: user.full_name ?? null,
    locale: user.locale ?? null,
    status: user.status,
    roles: user.roles,
    metadata: JSON.parse(user.metadata),
    created_at: timestamp(user.created_at),
    updated_at: timestamp(user.updated_at),
    last_login_at: user.last_login_at === undefined ? null : timestamp(user.last_login_at),
  };
}

// The table stores milliseconds, the API returns seconds.
function timestamp(milliseconds) {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
