// Says while a new password is typed whether the service would accept it, by its own rules.
const WAIT_MS = 400;
const CONTEXT = ["csrf_token", "username", "email", "full_name"];

for (const field of document.querySelectorAll("[data-check]")) {
  const password = field.querySelector("input");
  const verdict = document.createElement("small");
  verdict.className = "verdict";
  verdict.setAttribute("role", "status");
  field.append(verdict);
  let timer;
  let newest = 0;

  const show = (accepted, text) => {
    verdict.textContent = text;
    verdict.classList.toggle("accepted", accepted);
    if (!accepted) return;
    // The reason of a rejection before no longer holds.
    field.querySelector(".error")?.remove();
    password.removeAttribute("aria-invalid");
  };

  const check = async (number) => {
    const sent = new URLSearchParams({ password: password.value });
    for (const name of CONTEXT) {
      const other = password.form.elements.namedItem(name);
      if (other) sent.set(name, other.value);
    }
    try {
      const response = await fetch(field.dataset.check, { method: "POST", body: sent });
      const { accepted, text } = response.ok ? await response.json() : { accepted: false, text: "" };
      if (number === newest) show(accepted, text);
    } catch {
      // The form still says what it rejects.
      if (number === newest) show(false, "");
    }
  };

  password.addEventListener("input", () => {
    clearTimeout(timer);
    newest += 1;
    const number = newest;
    if (password.value) timer = setTimeout(() => check(number), WAIT_MS);
    else show(false, "");
  });
  // The response to the form may replace the token that a check sends.
  password.form.addEventListener("submit", () => clearTimeout(timer));
}
