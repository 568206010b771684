// Uses the TypeScript client with a service:
// node client.mjs <base URL> <password>
import assert from "node:assert/strict";
import { connect, each, isProblem as is, type components, type Roster } from "@roster/client";

type User = components["schemas"]["User"];

const [base, password] = process.argv.slice(2) as [string, string];
const name = `ada-${Date.now().toString(36)}`;

async function register(): Promise<User> {
  const created = await connect(base).POST("/v1/users", {
    body: { username: name, email: `${name}@example.com`, password },
  });
  assert.equal(created.response.status, 201);
  assert(created.data);
  assert.equal(created.response.headers.get("Location"), `/v1/users/${created.data.id}`);
  return created.data;
}

async function signIn(): Promise<Roster> {
  const session = await connect(base).POST("/v1/sessions", { body: { login: "john", password } });
  assert(session.data);
  return connect(base, { token: session.data.token });
}

async function listAllUsers(roster: Roster): Promise<User[]> {
  const users: User[] = [];
  for await (const user of each(roster, "/v1/users", { query: { limit: 2 } })) users.push(user);
  return users;
}

const ada = await register();
const client = await signIn();
assert((await listAllUsers(client)).some((user) => user.id === ada.id));

const path = { id: ada.id };
const read = await client.GET("/v1/users/{id}", { params: { path } });
const header = { "If-Match": read.response.headers.get("ETag") ?? "" };
const body = { full_name: "Ada Lovelace" };
const changed = await client.PATCH("/v1/users/{id}", { params: { path, header }, body });
assert.equal(changed.data?.full_name, "Ada Lovelace");
const stale = { "If-Match": '"1f-0"' };
// @ts-expect-error: a misspelled type
is(undefined, "/problems/version-mismach");
const rejected = await client.PATCH("/v1/users/{id}", { params: { path, header: stale }, body });
assert(is(rejected.error, "/problems/version-mismatch"));

const deleted = await client.DELETE("/v1/users/{id}", { params: { path } });
assert.equal(deleted.response.status, 204);
const missing = await client.GET("/v1/users/{id}", { params: { path } });
assert.equal(missing.error?.status, 404);

const me = { path: { id: "me" } };
const key = await client.POST("/v1/users/{id}/api-keys", { params: me, body: { name: "nightly" } });
assert(key.data);
// The same request twice, as after a lost response.
const again = { ...me, header: { "Idempotency-Key": crypto.randomUUID() } };
const [first, second] = [1, 2].map(() =>
  client.POST("/v1/users/{id}/api-keys", { params: again, body: { name: "hourly" } }),
);
assert.equal((await first)?.data?.key, (await second)?.data?.key);
assert((await first)?.data);

const machine = connect(base, { token: key.data.key });
assert.equal((await machine.GET("/v1/users/{id}", { params: me })).data?.username, "john");
const keyPath = { path: { id: "me", key_id: key.data.id } };
await client.DELETE("/v1/users/{id}/api-keys/{key_id}", { params: keyPath });
const revoked = await machine.GET("/v1/users/{id}", { params: me });
assert(is(revoked.error, "/problems/unauthenticated"));

// @ts-expect-error: a path that is no list
each(client, "/v1/users/{id}");
// @ts-expect-error: a list without the ID in its path
each(client, "/v1/users/{id}/sessions");
// @ts-expect-error: a filter that does not exist
each(client, "/v1/users", { query: { roll: "admin" } });
