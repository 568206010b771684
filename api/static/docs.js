// Shows the API description. A token may be pasted with or without the word Bearer before it.
import { rosterPlugin } from "./docs-plugin.js";

const root = document.getElementById("swagger-ui");
const SCHEME = "bearerAuth";

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const setColors = () => document.documentElement.classList.toggle("dark-mode", prefersDark.matches);
prefersDark.addEventListener("change", setColors);
setColors();

const ui = SwaggerUIBundle({
  url: root.dataset.document,
  domNode: root,
  validatorUrl: null,
  docExpansion: "list",
  tryItOutEnabled: true,
  persistAuthorization: root.dataset.keepsTokens === "yes",
  displayRequestDuration: true,
  plugins: [rosterPlugin],
  requestInterceptor: (request) => {
    const token = request.headers.Authorization;
    if (token) {
      request.headers.Authorization = token.replace(/^(bearer +)+/i, "Bearer ");
    }
    return request;
  },
});

// Local mode has buttons that sign in as a demo user.
const demo = document.getElementById("demo");
demo?.addEventListener("click", (event) => {
  const { login } = event.target.dataset;
  if (login) signIn(login, demo.dataset.password);
});

async function signIn(login, password) {
  const status = demo.querySelector("output");
  try {
    const response = await fetch("v1/sessions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ login, password }),
    });
    const body = await response.json();
    if (!response.ok) throw new Error(body.detail);
    const schema = ui.specSelectors.securityDefinitions().get(SCHEME);
    const authorization = { name: SCHEME, schema, value: body.token };
    ui.authActions.authorizeWithPersistOption({ [SCHEME]: authorization });
    status.value = `Signed in as ${login}.`;
  } catch (error) {
    status.value = `Not signed in: ${error.message}`;
  }
}
