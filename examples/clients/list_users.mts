// Prints all users, newest first, with @roster/client:
// ROSTER_URL=http://127.0.0.1:8080 ROSTER_TOKEN=... node list_users.mjs
// The token is that of an admin's session, or an API key with the role admin.
import { connect, each, ProblemError } from "@roster/client";

const { ROSTER_URL = "", ROSTER_TOKEN = "" } = process.env;
const roster = connect(ROSTER_URL, { token: ROSTER_TOKEN });
try {
  for await (const user of each(roster, "/v1/users", { query: { limit: 100 } }))
    console.log(`${user.username}\t${user.email}`);
} catch (error) {
  if (!(error instanceof ProblemError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
