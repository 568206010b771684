// Puts the token of the link into the form. It is a secret: it leaves the address bar at once.
const field = document.getElementById("token");

function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (location.hash) history.replaceState(null, "", location.pathname);
  if (!token) return;
  field.value = token;
  field.closest(".field").hidden = true;
  field.form.querySelector('input[type="password"], button')?.focus();
}

// After a rejection the server sends the token back, and there is no need to see it.
if (field.value && !field.hasAttribute("aria-invalid")) field.closest(".field").hidden = true;
takeToken();
// A second link of the same kind in the same tab does not reload the page.
addEventListener("hashchange", takeToken);
