// What both pages do: take the token, send it with what the form adds, say how it went.
const form = document.getElementById("form");
const message = document.getElementById("message");
let token = null;

function say(text, kind) {
  message.textContent = text;
  message.className = kind;
  message.focus();
}

// The token is a secret: it leaves the address bar, and with it the history, at once.
function takeToken() {
  const taken = new URLSearchParams(location.hash.slice(1)).get("token");
  if (location.hash) history.replaceState(null, "", location.pathname);
  if (taken) token = taken;
  form.hidden = !token;
  if (taken) say("", "");
  if (!token) say("There is no token in this address. Open the link in the mail once more.", "error");
}

// Null if it is done, else a sentence for the person.
async function refusalOf(path, body) {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      credentials: "omit",
      cache: "no-store",
    });
    if (response.ok) return null;
    const problem = await response.json();
    return problem.errors?.[0]?.detail ?? problem.detail ?? problem.title;
  } catch {
    return "The service cannot be reached. Try again.";
  }
}

export function confirmBy(path, { more = () => ({}), done }) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    const refusal = await refusalOf(path, { token, ...more() });
    button.disabled = false;
    if (refusal) return say(refusal, "error");
    token = null;
    form.reset();
    form.hidden = true;
    say(done, "done");
  });
  // A second link of the same kind, opened in the same tab, loads nothing anew.
  addEventListener("hashchange", () => location.hash && takeToken());
  takeToken();
}
