// Shows the API description. A token may be pasted with or without the word Bearer before it.
const root = document.getElementById("swagger-ui");

window.ui = SwaggerUIBundle({
  url: root.dataset.document,
  domNode: root,
  validatorUrl: null,
  docExpansion: "list",
  persistAuthorization: true,
  displayRequestDuration: true,
  requestInterceptor: (request) => {
    const token = request.headers.Authorization;
    if (token && !/^bearer /i.test(token)) {
      request.headers.Authorization = `Bearer ${token}`;
    }
    return request;
  },
});
