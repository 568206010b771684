// Visits each page in the states that people see, in Chromium at a service with demo users.
import { codeOf } from "./authenticator.mjs";
import { createPeople, emailTo } from "./people.mjs";

// A secret of nobody: the people exist in this service only.
const PASSWORD = "a stone bridge over the river";
const USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

// The stops whose trees, as screen readers have them, are kept in the folder `trees`.
export const TREES = [
  "sign-up", "sign-up-rejected", "sign-in", "sign-in-code", "session-ended", "account", "account-second-factor-setup",
  "account-recovery-codes", "account-sessions", "account-api-keys", "account-activity", "console", "console-user-rejected",
  "console-user-of-sessions", "console-suspend", "console-events", "console-statistics", "console-client", "console-clients",
];

const press = (page, name) => page.getByRole("main").getByRole("button", { name, exact: true }).click();

async function open(browser) {
  const viewport = { width: 1280, height: 800 };
  const context = await browser.newContext({ userAgent: USER_AGENT, locale: "en-US", viewport });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  return page;
}

async function signIn(page, base, login, password) {
  await page.goto(`${base}/sign-in`);
  await page.fill("#login", login);
  await page.fill("#password", password);
  await press(page, "Sign in");
}

// The forms behind links, sent empty.
async function sendEmpty(page, base, visit) {
  for (const path of ["sign-in", "forgot-password", "verify-email", "reset-password", "accept-invitation"]) {
    await page.goto(`${base}/${path}`);
    await page.locator("main form button[type=submit]").first().click();
    await page.locator("[aria-invalid=true]").first().waitFor();
    await visit(`${path}-empty`, null, page);
  }
}

// From the start page to an account with a verified address.
async function register(page, base, visit) {
  await page.goto(`${base}/`);
  await visit("start", "Start page of local mode", page);
  await page.goto(`${base}/sign-up`);
  await visit("sign-up", "Sign-up", page);
  await page.fill("#email", "kim");
  await page.fill("#username", "k m");
  await page.fill("#full_name", "Kim \u202e Lee");
  await page.fill("#password", "password");
  await press(page, "Create the account");
  await page.locator("[aria-invalid]").first().waitFor();
  await visit("sign-up-rejected", "Sign-up, every field wrong", page);
  await page.goto(`${base}/sign-up`);
  await page.fill("#email", "kim@example.com");
  await page.fill("#username", "kim");
  await page.fill("#full_name", "Kim Lee");
  await page.fill("#password", PASSWORD);
  await page.locator(".verdict.accepted").waitFor();
  await visit("sign-up-filled-in", "Sign-up, filled in", page);
  await press(page, "Create the account");
  await page.waitForURL("**/account");
  await visit("account", "Account: profile", page);

  await page.goto(`${base}/account/email`);
  await visit("account-email", "Account: email address", page);
  await press(page, "Send a verification email");
  const { link, id } = await emailTo("kim@example.com", "Verify your email address", base);
  await page.goto(`${base}/dev/mail`);
  await visit("mailbox", "Mailbox of local mode", page);
  await page.goto(`${base}/dev/mail/${id}/html`);
  await visit("email", "Email", page);
  await page.goto(link);
  await visit("verify-email", "Verify an email address", page);
  await press(page, "Verify my email address");
  await page.waitForURL("**/account");
}

// Each page of the account; returns the secret of the second factor.
async function account(page, base, visit) {
  await page.goto(`${base}/account/email`);
  await page.fill("#email", "kim.lee@example.org");
  await press(page, "Change the address");
  await page.locator(".notice").waitFor();
  await visit("account-email-pending", "Account: a new address that is pending", page);
  await page.goto(`${base}/account/password`);
  await visit("account-password", "Account: password", page);
  await page.goto(`${base}/account/second-factor`);
  await visit("account-second-factor-off", "Account: second factor, off", page);
  await press(page, "Set up a second factor");
  const secret = (await page.locator(".secret").innerText()).replaceAll(" ", "");
  await visit("account-second-factor-setup", "Account: set up a second factor", page);
  await page.fill("#otp", codeOf(secret, -1));
  await press(page, "Enable the second factor");
  await page.locator(".codes").waitFor();
  await visit("account-recovery-codes", "Account: recovery codes", page);
  await page.goto(`${base}/account/second-factor`);
  await visit("account-second-factor-on", "Account: second factor, on", page);
  await page.goto(`${base}/account/sessions`);
  await visit("account-sessions", "Account: sessions", page);
  await page.goto(`${base}/account/api-keys`);
  await page.fill("#name", "nightly export");
  await press(page, "Create the key");
  await page.locator("#copied").waitFor();
  await visit("account-api-key", "Account: a new API key", page);
  await page.goto(`${base}/account/api-keys`);
  await visit("account-api-keys", "Account: API keys", page);
  await page.goto(`${base}/account/activity`);
  await visit("account-activity", "Account: activity", page);
  await page.goto(`${base}/account/data`);
  await visit("account-data", "Account: export and deletion", page);
  return secret;
}

// The console, as an admin sees it.
async function console_(page, base, ids, visit) {
  await page.goto(`${base}/admin`);
  await visit("console", "Console: users", page);
  await page.goto(`${base}/admin?q=nobody`);
  await visit("console-nothing-found", "Console: no such user", page);
  await page.goto(`${base}/admin/users/${ids.grace}`);
  await visit("console-user", "Console: a user", page);
  await page.fill("#metadata", "{");
  await press(page, "Save the metadata");
  await page.locator("[aria-invalid]").first().waitFor();
  await visit("console-user-rejected", "Console: a user, metadata that is no JSON", page);
  await page.goto(`${base}/admin?q=kim`);
  await page.getByRole("link", { name: "kim", exact: true }).click();
  await visit("console-user-of-sessions", "Console: a user with sessions and keys", page);
  await page.goto(`${base}/admin/users/${ids["maximiliana-von-hohenlohe-langen"]}`);
  await visit("console-user-of-long-names", "Console: a user with long names", page);
  await page.goto(`${base}/admin/users/${ids.rosa}/move?from=nobody`);
  await visit("console-merge-unknown", null, page);
  await page.goto(`${base}/admin/users/${ids.rosa}/move?from=kim`);
  await visit("console-merge", null, page);
  await page.goto(`${base}/admin/users/${ids.rosa}/suspend`);
  await visit("console-suspend", "Console: suspend a user", page);
  await press(page, "Suspend");
  await page.locator(".notice").waitFor();
  await page.goto(`${base}/admin/events?user=rosa`);
  await visit("console-events", "Console: events", page);
  await page.goto(`${base}/admin/events`);
  await visit("console-events-before", null, page);
  await page.goto(`${base}/admin/events?user=nobody`);
  await visit("console-events-of-nobody", null, page);
  await page.goto(`${base}/admin/users/new`);
  await visit("console-new-user-empty", null, page);
  await press(page, "Create the user");
  await page.locator("[aria-invalid]").first().waitFor();
  await visit("console-new-user", "Console: create a user", page);
  await page.goto(`${base}/admin/clients`);
  await visit("console-no-clients", null, page);
  await page.goto(`${base}/admin/clients/new`);
  await press(page, "Create the client");
  await page.locator("[aria-invalid]").first().waitFor();
  await visit("console-new-client", "Console: create a client", page);
  await page.fill("#name", "billing");
  await page.fill("#audience", "https://billing.example.com");
  await page.getByRole("main").getByRole("checkbox").first().check();
  await press(page, "Create the client");
  await page.locator("#secret").waitFor();
  await visit("console-client-secret", "Console: the secret of a client", page);
  await page.getByRole("link", { name: "Show the client" }).click();
  await visit("console-client", "Console: a client", page);
  while (!(await page.getByRole("link", { name: "billing" }).count())) await page.goto(`${base}/admin/clients`);
  await visit("console-clients", "Console: clients", page);
  await page.goto(`${base}/admin/statistics`);
  await visit("console-statistics", "Console: statistics", page);
  await page.goto(`${base}/admin/users/nobody`);
  await visit("not-found", "Not found", page);
}

// Inviting people, and what an invited person sees.
async function invitations(page, base, visit) {
  await page.goto(`${base}/admin/invitations`);
  await visit("console-no-invitations", null, page);
  await page.getByRole("link", { name: "Invite people" }).click();
  await page.fill("#emails", "nobody\nalex@example.com");
  await press(page, "Send the invitations");
  await page.locator("[aria-invalid]").first().waitFor();
  await visit("console-invite-rejected", null, page);
  await page.fill("#emails", "alex@example.com\ngrace@example.org");
  await press(page, "Send the invitations");
  await page.getByRole("link", { name: "All invitations" }).waitFor();
  await visit("console-invited", null, page);
  const revoke = page.getByRole("link", { name: "Revoke: alex@example.com" });
  while (!(await revoke.count())) await page.goto(`${base}/admin/invitations`);
  await visit("console-invitations", null, page);
  await revoke.click();
  await visit("console-revoke-invitation", null, page);
  const { link } = await emailTo("alex@example.com", "You are invited to Roster", base);
  await page.goto(link);
  await visit("accept-invitation", null, page);
}

// Signing in with what can go wrong.
async function signInAgain(page, base, secret, visit) {
  await page.goto(`${base}/account`);
  await page.context().clearCookies({ name: "roster-local" });
  await page.fill("#full_name", "Kim Lee the Second");
  await press(page, "Save the name");
  await page.locator("#confirm_password").waitFor();
  await visit("session-ended", "Session ended while a form was filled in", page);
  await page.goto(`${base}/sign-in`);
  await visit("sign-in", "Sign-in", page);
  await signIn(page, base, "kim", "not the password");
  await visit("sign-in-rejected", "Sign-in, wrong password", page);
  await signIn(page, base, "kim", PASSWORD);
  await page.waitForURL("**/sign-in/code");
  await visit("sign-in-code", "Sign-in, second factor", page);
  await page.fill("#otp", "000000");
  await press(page, "Sign in");
  await page.locator("[aria-invalid=true]").waitFor();
  await visit("sign-in-code-rejected", null, page);
  await page.fill("#otp", codeOf(secret));
  await press(page, "Sign in");
  await page.waitForURL("**/account");
  await page.goto(`${base}/sign-out`);
  await visit("sign-out", "Sign-out", page);
  await press(page, "Sign out");
  await page.goto(`${base}/forgot-password`);
  await visit("forgot-password", "Forgot password", page);
  await page.fill("#email", "kim@example.com");
  await press(page, "Send the link");
  await visit("reset-requested", "Sign-in, after requesting a reset", page);
  const { link } = await emailTo("kim@example.com", "Reset your password", base);
  await page.goto(link);
  await visit("reset-password", "Choose a new password", page);
}

// Calls `visit(name, title, page)` at each stop; one without a title is for checks, not for pictures.
// The service must be a new one.
export async function tour(browser, base, password, visit) {
  const ids = await createPeople(base, password, PASSWORD);
  const page = await open(browser);
  await sendEmpty(page, base, visit);
  await register(page, base, visit);
  const secret = await account(page, base, visit);
  await signInAgain(page, base, secret, visit);
  const admin = await open(browser);
  await signIn(admin, base, "john", password);
  await admin.waitForURL("**/account");
  await console_(admin, base, ids, visit);
  await invitations(admin, base, visit);
}
