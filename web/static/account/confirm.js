// Shared by both pages: read the token, send it with the values of the form, show the outcome.
const form = document.getElementById("form");
const message = document.getElementById("message");
let token = null;

function say(text, kind) {
  message.textContent = text;
  message.className = kind;
  message.focus();
}

// The token is a secret: it is removed from the address bar and the history at once.
function takeToken() {
  const taken = new URLSearchParams(location.hash.slice(1)).get("token");
  if (location.hash) history.replaceState(null, "", location.pathname);
  if (taken) token = taken;
  form.hidden = !token;
  if (taken) say("", "");
  if (!token) say("There is no token in this address. Open the link in the email again.", "error");
}

// Resolves to null on success, else to a message for the user.
async function errorOf(path, body) {
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
    return "The service is not reachable. Try again.";
  }
}

export function confirmBy(path, { more = () => ({}), done }) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    const failure = await errorOf(path, { token, ...more() });
    button.disabled = false;
    if (failure) return say(failure, "error");
    token = null;
    form.reset();
    form.hidden = true;
    say(done, "done");
  });
  // A second link of the same kind in the same tab does not reload the page.
  addEventListener("hashchange", () => location.hash && takeToken());
  takeToken();
}
