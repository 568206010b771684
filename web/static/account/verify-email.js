import { confirmBy } from "./confirm.js";
import { showOnRequest } from "./password.js";

const password = document.getElementById("password");

showOnRequest(password);

confirmBy("v1/email-verifications/confirm", {
  more: () => ({ password: password.value }),
  done: "Your email address is confirmed. You can close this page.",
});
