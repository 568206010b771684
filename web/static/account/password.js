// Shared by the forms with a password: the checkbox that shows it (ASVS 6.2.6).
export function showOnRequest(password) {
  document.getElementById("show").addEventListener("change", (event) => {
    password.type = event.target.checked ? "text" : "password";
  });
}
