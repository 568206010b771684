import { confirmBy } from "./confirm.js";

confirmBy("v1/email-verifications/confirm", { done: "Your email address is confirmed. You can close this page." });
