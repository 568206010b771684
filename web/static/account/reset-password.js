import { confirmBy } from "./confirm.js";
import { showOnRequest } from "./password.js";

const password = document.getElementById("new-password");

showOnRequest(password);

confirmBy("v1/password-resets/confirm", {
  more: () => ({
    new_password: password.value,
    ...(document.getElementById("revoke-api-keys").checked ? { revoke_api_keys: true } : {}),
  }),
  done: "Your password is changed. Sign in with the new one.",
});
