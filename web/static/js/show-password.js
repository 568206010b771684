// A checkbox below each password that shows it (ASVS 6.2.6). Without scripts there is none.
for (const password of document.querySelectorAll('input[type="password"]')) {
  const label = document.createElement("label");
  const box = document.createElement("input");
  box.type = "checkbox";
  label.className = "choice";
  label.append(box, ` ${password.closest(".field").dataset.show}`);
  box.addEventListener("change", () => {
    password.type = box.checked ? "text" : "password";
  });
  password.form.addEventListener("submit", () => {
    // Browsers keep what was typed into fields of type text.
    password.type = "password";
  });
  password.closest(".field").append(label);
}
