import { confirmBy } from "./confirm.js";

confirmBy("v1/email-verifications/confirm", { done: "Your address is confirmed. You can close this page." });
