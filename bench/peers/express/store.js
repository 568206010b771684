// What a request reads: a session, its user and perhaps another user, in one round trip.

import { createHash } from "node:crypto";
import { BatchGetCommand } from "@aws-sdk/lib-dynamodb";

const SESSIONS = "roster-sessions";
const USERS = "roster-users";
// The user's id, 16 bytes, and 24 random ones.
const TOKEN = /^rst_([A-Za-z0-9_-]{54})$/;

/**
 * The user whose session a token is, null unless the session is alive.
 *
 * @param dynamodb The document client.
 * @param token What the caller presented.
 * @param askedId The user that the caller asks about, found as `other` if there is one.
 */
export async function findCaller(dynamodb, token, askedId) {
  const userId = userIdOf(token);
  if (userId === null) return null;
  // DynamoDB refuses a batch that names a key twice.
  const ids = askedId === userId ? [userId] : [userId, askedId];
  const digest = createHash("sha256").update(token).digest("hex");
  const answer = await dynamodb.send(
    new BatchGetCommand({
      RequestItems: {
        [SESSIONS]: { Keys: [{ user_id: userId, token_digest: digest }], ConsistentRead: true },
        [USERS]: { Keys: ids.map((id) => ({ id })), ConsistentRead: true },
      },
    }),
  );
  if (Object.keys(answer.UnprocessedKeys ?? {}).length > 0) {
    throw new Error("DynamoDB has left keys unread: it is short of capacity.");
  }
  const [session] = answer.Responses[SESSIONS];
  const named = (id) => answer.Responses[USERS].find((user) => user.id === id);
  const user = named(userId);
  return session && user && isAlive(session, user) ? { user, other: named(askedId) } : null;
}

/** The user with this id if there is one and the caller may know it. */
export function visible(caller, userId) {
  if (userId === caller.user.id) return caller.user;
  return caller.user.roles.includes("admin") ? caller.other : undefined;
}

function isAlive(session, user) {
  return (
    user.status === "active" &&
    session.epoch === user.epoch &&
    Date.now() < Math.min(session.expires_at, session.ends_at)
  );
}

// A token begins with its user's id, so that a session is found by its key.
function userIdOf(token) {
  const encoded = TOKEN.exec(token)?.[1];
  if (encoded === undefined) return null;
  const hex = Buffer.from(encoded, "base64url").toString("hex", 0, 16);
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
