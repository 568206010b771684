// The people of a service with demo data: created by an admin through the API, always alike.
const PEOPLE = [
  ["ada.lovelace", "ada@example.com", "Ada Lovelace"],
  ["maximiliana-von-hohenlohe-langen", "maximiliana.von.hohenlohe-langenburg@mail.university.example.com", "Maximiliana Friederike Charlotte Alexandrine Prinzessin von und zu Hohenlohe-Langenburg-Weikersheim-Schillingsfürst"],
  ["layla", "layla@example.com", "ليلى بنت سعد"],
  ["rosa", "rosa@example.org", null],
  ["markup", "markup@example.com", "<b>Bold</b> & \"quoted\""],
  ["eleni", "eleni@example.com", "Ελένη Παπαδοπούλου"],
  ["grace", "grace@example.org", "Grace Hopper"],
  ["sam", "sam@example.net", "Sam Okafor"],
];
const CHANGES = [
  ["sam", { status: "suspended" }],
  ["grace", { roles: ["user", "admin"], metadata: { plan: "pro", seats: 3, tags: ["beta", "annual"] } }],
];

// Makes a request of the API and returns the body of its response.
export async function call(base, method, path, body, token) {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(`${base}${path}`, { method, headers, body: body && JSON.stringify(body) });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.status === 204 ? null : response.json();
}

// Creates the people; returns their IDs by username.
export async function createPeople(base, password, theirs) {
  const { token } = await call(base, "POST", "/v1/sessions", { login: "john", password });
  const ids = {};
  for (const [username, email, full_name] of PEOPLE) {
    const body = { username, email, full_name, password: theirs };
    ids[username] = (await call(base, "POST", "/v1/users", body, token)).id;
  }
  for (const [username, changes] of CHANGES) await call(base, "PATCH", `/v1/users/${ids[username]}`, changes, token);
  await call(base, "DELETE", "/v1/sessions/current", null, token);
  return ids;
}

// Returns the emails of the mailbox, newest first.
export const readEmails = async (base) =>
  (await fetch(`${base}/dev/mail`, { headers: { Accept: "application/json" } })).json();

// Returns the email with this subject to an address, once it has come.
export async function emailTo(address, subject, base) {
  for (;;) {
    const found = (await readEmails(base)).find((email) => email.to === address && email.subject === subject);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
