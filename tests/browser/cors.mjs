// Calls the API from pages on other origins in Chromium and prints its observations as JSON.
// Usage: node cors.mjs <base URL> <URL of a page on a listed origin> <URL of one on another origin> <password>
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [base, listed, unlisted, password] = process.argv.slice(2);
const profile = await mkdtemp(join(tmpdir(), "roster-browser-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});

// Runs in the page: returns what its script can see of a response.
async function call([url, options]) {
  try {
    const response = await fetch(url, options);
    const text = await response.text();
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: text && JSON.parse(text),
    };
  } catch (error) {
    return { error: error.name };
  }
}

function post(body) {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

const signUp = post({ username: "mallory", email: "mallory@example.com", password });
const observed = {};
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  await page.goto(listed);
  const request = (path, options = {}) => page.evaluate(call, [base + path, options]);

  observed.signIn = await request("/v1/sessions", post({ login: "jane", password }));
  const authorization = { Authorization: `Bearer ${observed.signIn.body?.token}` };
  observed.read = await request("/v1/users/me", { headers: authorization });
  observed.update = await request(`/v1/users/${observed.signIn.body?.user.id}`, {
    method: "PATCH",
    headers: {
      ...authorization,
      "Content-Type": "application/merge-patch+json",
      "If-Match": observed.read.headers?.etag ?? "",
    },
    body: JSON.stringify({ full_name: "Jane from afar" }),
  });
  observed.unauthenticated = await request("/v1/users/me");
  observed.withCredentials = await request("/v1/users/me", { headers: authorization, credentials: "include" });

  await page.goto(unlisted);
  observed.otherRead = await request("/v1/users/me", { headers: authorization });
  observed.otherSignUp = await request("/v1/users", signUp);
  // A content type that needs no preflight.
  observed.otherPlain = await request("/v1/users", { ...signUp, headers: { "Content-Type": "text/plain" } });
} finally {
  await browser.close();
  await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
console.log(JSON.stringify(observed));
