// Signs a user up and in, and changes the profile, with @roster/client:
// ROSTER_URL=http://127.0.0.1:8080 ROSTER_PASSWORD=... node sign_up.mjs USERNAME EMAIL
import { connect, expect, ProblemError, type Roster } from "@roster/client";

const { ROSTER_URL = "", ROSTER_PASSWORD = "" } = process.env;

/** Creates a user, and returns the token of a session. */
async function signUpAndIn(username: string, email: string, password: string): Promise<string> {
  const roster = connect(ROSTER_URL);
  expect(await roster.POST("/v1/users", { body: { username, email, password } }));
  return expect(await roster.POST("/v1/sessions", { body: { login: username, password } })).token;
}

/** Changes the name, unless the user was changed since it was read. */
async function rename(roster: Roster, full_name: string) {
  const path = { id: "me" };
  const read = await roster.GET("/v1/users/{id}", { params: { path } });
  const header = { "If-Match": read.response.headers.get("ETag") ?? "" };
  const params = { path, header };
  return expect(await roster.PATCH("/v1/users/{id}", { params, body: { full_name } }));
}

const [username = "", email = ""] = process.argv.slice(2);
try {
  const token = await signUpAndIn(username, email, ROSTER_PASSWORD);
  const roster = connect(ROSTER_URL, { token });
  const user = await rename(roster, "Ada Lovelace");
  await roster.DELETE("/v1/sessions/current");
  console.log(`${user.username} is ${user.full_name}.`);
} catch (error) {
  if (!(error instanceof ProblemError)) throw error;
  console.error(error.message);
  for (const { pointer, detail } of error.problem.errors ?? []) console.error(pointer, detail);
  process.exitCode = 1;
}
