// Uses what openapi-typescript has made of the description, with openapi-fetch:
// node client.mjs <base URL> <password>
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type User = components["schemas"]["User"];

const [base, password] = process.argv.slice(2) as [string, string];
const client = createClient<paths>({ baseUrl: base });
const name = `ada-${Date.now().toString(36)}`;

async function register(): Promise<User> {
  const made = await client.POST("/v1/users", {
    body: { username: name, email: `${name}@example.com`, password },
  });
  assert.equal(made.response.status, 201);
  assert(made.data);
  assert.equal(made.response.headers.get("Location"), `/v1/users/${made.data.id}`);
  return made.data;
}

async function signIn(): Promise<void> {
  const opened = await client.POST("/v1/sessions", { body: { login: "john", password } });
  assert(opened.data);
  const authorization = `Bearer ${opened.data.token}`;
  client.use({
    onRequest({ request }) {
      request.headers.set("Authorization", authorization);
      return request;
    },
  });
}

async function everyUser(): Promise<User[]> {
  const found: User[] = [];
  let cursor: string | null | undefined;
  do {
    const query: NonNullable<paths["/v1/users"]["get"]["parameters"]["query"]> = { limit: 2 };
    if (cursor) query.cursor = cursor;
    const page = await client.GET("/v1/users", { params: { query } });
    assert(page.data);
    found.push(...page.data.items);
    cursor = page.data.next_cursor;
  } while (cursor);
  return found;
}

const ada = await register();
await signIn();
assert((await everyUser()).some((user) => user.id === ada.id));

const path = { id: ada.id };
const read = await client.GET("/v1/users/{id}", { params: { path } });
const header = { "If-Match": read.response.headers.get("ETag") ?? "" };
const body = { full_name: "Ada Lovelace" };
const changed = await client.PATCH("/v1/users/{id}", { params: { path, header }, body });
assert.equal(changed.data?.full_name, "Ada Lovelace");
const stale = { "If-Match": '"1f-0"' };
const late = await client.PATCH("/v1/users/{id}", { params: { path, header: stale }, body });
assert.equal(late.error?.type, "/problems/version-mismatch");

const deleted = await client.DELETE("/v1/users/{id}", { params: { path } });
assert.equal(deleted.response.status, 204);
const gone = await client.GET("/v1/users/{id}", { params: { path } });
assert.equal(gone.error?.status, 404);

const me = { path: { id: "me" } };
const key = await client.POST("/v1/users/{id}/api-keys", { params: me, body: { name: "nightly" } });
assert(key.data);
const machine = createClient<paths>({
  baseUrl: base,
  headers: { Authorization: `Bearer ${key.data.key}` },
});
assert.equal((await machine.GET("/v1/users/{id}", { params: me })).data?.username, "john");
const of = { path: { id: "me", key_id: key.data.id } };
await client.DELETE("/v1/users/{id}/api-keys/{key_id}", { params: of });
const revoked = await machine.GET("/v1/users/{id}", { params: me });
assert.equal(revoked.error?.type, "/problems/unauthenticated");
