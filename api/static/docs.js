// Shows the API description. A token may be pasted with or without the word Bearer before it.
const root = document.getElementById("swagger-ui");

window.ui = SwaggerUIBundle({
  url: root.dataset.document,
  domNode: root,
  validatorUrl: null,
  docExpansion: "list",
  tryItOutEnabled: true,
  persistAuthorization: root.dataset.keepsTokens === "yes",
  displayRequestDuration: true,
  requestInterceptor: (request) => {
    const token = request.headers.Authorization;
    if (token) {
      request.headers.Authorization = token.replace(/^(bearer +)+/i, "Bearer ");
    }
    return request;
  },
});
