// The hand-written parts of the client: `node --test`, with the package in node_modules.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, describe, test } from "node:test";
import { connect, each, expect, isProblem, ProblemError } from "@roster/client";

const ada = { id: "01a1fb07-5f9c-7229-8e0e-c7853035f505", username: "ada" };
const newUser = { username: "ada", email: "ada@example.com", password: "a long password of ada" };
const me = { params: { path: { id: "me" } } };
const problem = (status, slug = "busy") => ({
  type: `/problems/${slug}`,
  title: "Title",
  status,
  detail: "Detail",
  request_id: "1",
});
const busy = (wait = "0") => [503, { "Retry-After": wait }, problem(503)];
const ok = [200, {}, ada];
const page = (next_cursor, ...names) => [
  200,
  {},
  { items: names.map((username) => ({ ...ada, username })), next_cursor },
];

const servers = [];
after(() => servers.forEach((server) => server.close()));

/** Starts a server that answers requests in turn, and keeps them. */
async function serve(...answers) {
  const requests = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    requests.push({ url: request.url, headers: request.headers, body });
    const [status, headers, content] = answers.shift();
    response.writeHead(status, { "Content-Type": "application/json", ...headers });
    response.end(content === undefined ? undefined : JSON.stringify(content));
  });
  servers.push(server);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  return { url, requests, keys: () => requests.map((one) => one.headers["idempotency-key"]) };
}

async function all(list) {
  const names = [];
  for await (const { username } of list) names.push(username);
  return names;
}

describe("retries", () => {
  test("a request is repeated until the service has time for it", async () => {
    const { url, requests } = await serve(busy(), busy(), ok);
    const user = expect(await connect(url, { token: "rst_1" }).GET("/v1/users/{id}", me));

    assert.equal(user.username, "ada");
    assert.equal(requests.length, 3);
  });

  test("the last answer is returned when the attempts are used up", async () => {
    const { url, requests } = await serve(busy(), busy());
    const roster = connect(url, { retries: { attempts: 2 } });
    const answer = await roster.POST("/v1/users", { body: newUser });

    assert.equal(answer.response.status, 503);
    assert.equal(requests.length, 2);
  });

  for (const wait of ["31", "99999999999999999999", "soon", "-1", "1.5"])
    test(`a wait of "${wait}" ends the attempts`, async () => {
      const { url, requests } = await serve(busy(wait));
      await connect(url).GET("/v1/users/{id}", me);

      assert.equal(requests.length, 1);
    });

  test("a date in the past asks for a repeat at once", async () => {
    const { url, requests } = await serve(busy("Fri, 27 Nov 2020 10:00:00 GMT"), ok);
    await connect(url).GET("/v1/users/{id}", me);

    assert.equal(requests.length, 2);
  });

  test("a distant date ends the attempts", async () => {
    const { url, requests } = await serve(busy(new Date(Date.now() + 9e7).toUTCString()));
    await connect(url).GET("/v1/users/{id}", me);

    assert.equal(requests.length, 1);
  });

  for (const status of [429, 500])
    test(`an answer of ${status} is returned at once`, async () => {
      const { url, requests } = await serve([status, { "Retry-After": "0" }, problem(status)]);
      await connect(url).GET("/v1/users/{id}", me);

      assert.equal(requests.length, 1);
    });

  test("an abort ends the wait", async () => {
    const { url, requests } = await serve(busy("20"));
    const control = new AbortController();
    const answer = connect(url).GET("/v1/users/{id}", { ...me, signal: control.signal });
    while (requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    setTimeout(() => control.abort(), 50);

    await assert.rejects(answer, { name: "AbortError" });
    assert.equal(requests.length, 1);
  });

  test("a service that does not answer ends in a timeout", async () => {
    const server = createServer(() => {});
    servers.push(server);
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const roster = connect(`http://127.0.0.1:${server.address().port}`, { timeout: 0.1 });

    await assert.rejects(roster.GET("/v1/users/{id}", me), { name: "TimeoutError" });
    server.closeAllConnections();
  });
});

describe("idempotency keys", () => {
  test("all attempts of a request have the same key and body", async () => {
    const { url, requests, keys } = await serve(busy(), [201, {}, ada]);
    await connect(url).POST("/v1/users", { body: newUser });

    assert.match(keys()[0], /^[0-9a-f-]{36}$/);
    assert.equal(keys()[0], keys()[1]);
    assert.deepEqual(JSON.parse(requests[1].body), newUser);
  });

  test("each request has a key of its own", async () => {
    const { url, keys } = await serve([201, {}, ada], [201, {}, ada]);
    const roster = connect(url);
    await roster.POST("/v1/users", { body: newUser });
    await roster.POST("/v1/users", { body: newUser });

    assert.equal(new Set(keys()).size, 2);
  });

  test("a key of the caller stays", async () => {
    const { url, keys } = await serve([201, {}, ada]);
    const headers = { "Idempotency-Key": "order-4711-of-ada" };
    await connect(url).POST("/v1/users", { body: newUser, headers });

    assert.deepEqual(keys(), ["order-4711-of-ada"]);
  });

  test("reads and deletions have no key", async () => {
    const { url, keys } = await serve(ok, [204, {}]);
    const roster = connect(url, { token: "rst_1" });
    await roster.GET("/v1/users/{id}", me);
    await roster.DELETE("/v1/sessions/current");

    assert.deepEqual(keys(), [undefined, undefined]);
  });
});

describe("each", () => {
  test("all pages are read, with the same filters", async () => {
    const { url, requests } = await serve(page("c1", "ada", "bob"), page(null, "eve"));
    const users = each(connect(url, { token: "rst_1" }), "/v1/users", {
      query: { limit: 2, role: "user" },
    });

    assert.deepEqual(await all(users), ["ada", "bob", "eve"]);
    assert.deepEqual(
      requests.map((request) => request.url),
      ["/v1/users?limit=2&role=user", "/v1/users?limit=2&role=user&cursor=c1"],
    );
  });

  test("who stops after the first row reads one page", async () => {
    const { url, requests } = await serve(page("c1", "ada", "bob"));
    for await (const _ of each(connect(url), "/v1/users")) break;

    assert.equal(requests.length, 1);
  });

  test("the IDs of a path are sent", async () => {
    const { url, requests } = await serve(page(null));
    await all(each(connect(url), "/v1/users/{id}/sessions", { path: { id: "me" } }));

    assert.equal(requests[0].url, "/v1/users/me/sessions");
  });

  test("a rejection in the middle is thrown", async () => {
    const { url } = await serve(page("c1", "ada"), [401, {}, problem(401, "unauthenticated")]);

    await assert.rejects(all(each(connect(url), "/v1/users")), ProblemError);
  });
});

describe("expect", () => {
  test("a rejection is thrown with what the service answered", async () => {
    const { url } = await serve([404, {}, problem(404, "user-not-found")]);
    const answer = await connect(url).GET("/v1/users/{id}", me);

    assert.throws(
      () => expect(answer),
      (error) => error.is("/problems/user-not-found") && error.message === "404 Title: Detail",
    );
  });

  test("an answer of a proxy is an error of its own", async () => {
    const { url } = await serve([502, {}, "bad gateway"]);
    const answer = await connect(url).GET("/v1/users/{id}", me);

    assert.throws(() => expect(answer), /status 502/);
  });

  test("types of problems match as paths and as URLs", () => {
    const absolute = { type: "https://accounts.example.com/problems/busy" };

    assert(isProblem({ type: "/problems/busy" }, "/problems/busy"));
    assert(isProblem(absolute, "/problems/busy"));
    assert(!isProblem({ type: "/problems/not-busy" }, "/problems/busy"));
    assert(!isProblem(undefined, "/problems/busy"));
  });
});

describe("connect", () => {
  for (const url of ["", "accounts.example.com", "/v1", "ftp://a.example"])
    test(`"${url}" is not a URL`, () => assert.throws(() => connect(url), /is not a URL/));

  for (const end of ["/v1", "/v1/", "/prefix/v1"])
    test(`a URL that ends with ${end} is rejected`, () =>
      assert.throws(() => connect(`https://accounts.example.com${end}`), /leave it out/));

  test("a service below a path works", async () => {
    const { url, requests } = await serve(ok);
    await connect(`${url}/accounts/`).GET("/v1/users/{id}", me);

    assert.equal(requests[0].url, "/accounts/v1/users/me");
  });

  test("an empty token is rejected", () =>
    assert.throws(() => connect("https://accounts.example.com", { token: "" }), /token is empty/));

  test("a token is sent", async () => {
    const { url, requests } = await serve(ok);
    await connect(url, { token: "rst_1" }).GET("/v1/users/{id}", me);

    assert.equal(requests[0].headers.authorization, "Bearer rst_1");
  });

  test("the service cannot be reached", async () =>
    assert.rejects(connect("http://127.0.0.1:9").GET("/v1/users/{id}", me), TypeError));
});
