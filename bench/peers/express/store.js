// Authenticates a request: reads session, user and requested user in one round trip.

import { createHash } from "node:crypto";
import { BatchGetCommand } from "@aws-sdk/lib-dynamodb";

const SESSIONS = "roster-sessions";
const USERS = "roster-users";
// 16 bytes of the user's ID and 24 random bytes.
const TOKEN = /^rst_([A-Za-z0-9_-]{54})$/;

/**
 * Return the principal of a token, null unless its session is live.
 *
 * @param dynamodb The document client.
 * @param token The bearer token of the request.
 * @param requestedId The ID of the user that the caller requests; `other` if it exists.
 */
export async function authenticate(dynamodb, token, requestedId) {
  const userId = userIdOf(token);
  if (userId === null) return null;
  // DynamoDB rejects a batch that contains a key twice.
  const ids = requestedId === userId ? [userId] : [userId, requestedId];
  const digest = createHash("sha256").update(token).digest("hex");
  const response = await dynamodb.send(
    new BatchGetCommand({
      RequestItems: {
        [SESSIONS]: { Keys: [{ user_id: userId, token_digest: digest }], ConsistentRead: true },
        [USERS]: { Keys: ids.map((id) => ({ id })), ConsistentRead: true },
      },
    }),
  );
  if (Object.keys(response.UnprocessedKeys ?? {}).length > 0) {
    throw new Error("DynamoDB returned unprocessed keys, since its capacity is exhausted.");
  }
  const [session] = response.Responses[SESSIONS];
  const userWithId = (id) => response.Responses[USERS].find((user) => user.id === id);
  const user = userWithId(userId);
  return session && user && isLive(session, user) ? { user, other: userWithId(requestedId) } : null;
}

/** Return the user with this ID if it exists and the caller may read it. */
export function visibleUser(principal, userId) {
  if (userId === principal.user.id) return principal.user;
  return principal.user.roles.includes("admin") ? principal.other : undefined;
}

function isLive(session, user) {
  return (
    user.status === "active" &&
    session.epoch === user.epoch &&
    Date.now() < Math.min(session.expires_at, session.ends_at)
  );
}

// A token starts with the user's ID, so the session is read by its key.
function userIdOf(token) {
  const encoded = TOKEN.exec(token)?.[1];
  if (encoded === undefined) return null;
  const hex = Buffer.from(encoded, "base64url").toString("hex", 0, 16);
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
