// A plugin of Swagger UI: https://swagger.io/docs/open-source-tools/swagger-ui/customization/plug-points/
// Its components wrap those of Swagger UI, so the bundle stays as it was released.

const PROBLEM = "application/problem+json";
const JSON_TYPE = "application/json";

export function rosterPlugin(system) {
  const { React } = system;
  const h = React.createElement;

  // Swagger UI shows whether a token is set, and an optional one counts as set: a public operation
  // looks locked. Here a closed lock is an operation that requires a token.
  const lock = (icon, label, { isOptional }) =>
    function Lock({ isAuthorized, onClick }) {
      const open = (event) => {
        event.stopPropagation();
        onClick();
      };
      const state = isAuthorized && !isOptional ? "token-set" : "token-missing";
      return h(
        "button",
        { className: `authorization__btn ${state}`, "aria-label": label, title: label, onClick: open },
        h(system.getComponent(icon, true)),
      );
    };
  const RequiredToken = lock("LockAuthOperationIcon", "Requires a token", { isOptional: false });
  const OptionalToken = lock("UnlockAuthOperationIcon", "Works with and without a token", {
    isOptional: true,
  });

  const OperationSummary = (Original) => (props) => {
    const security = props.operationProps.get("security");
    const Lock = security?.some((each) => each.isEmpty()) ? OptionalToken : RequiredToken;
    const getComponent = (name, ...rest) =>
      name === "authorizeOperationBtn" ? Lock : props.getComponent(name, ...rest);
    return h(Original, { ...props, getComponent });
  };

  const problemLine = (slug, example) =>
    h(
      "li",
      { key: slug },
      h("a", { href: `problems/${slug}`, target: "_blank", rel: "noopener" }, slug),
      ` ${example.get?.("summary") ?? ""}`,
    );

  // An OAuth error has no page of its own.
  const oauthLine = (code, example) =>
    h("li", { key: code }, h("code", null, code), ` ${example.getIn(["value", "error_description"])}`);

  // An error takes one line for each of its problem types or codes, and more on demand.
  const response = (Original) => (props) => {
    const [isOpen, setOpen] = React.useState(false);
    const problems = props.response.getIn(["content", PROBLEM, "examples"]);
    const oauthErrors = props.code >= "400" && props.response.getIn(["content", JSON_TYPE, "examples"]);
    if (!problems && !oauthErrors) return h(Original, props);
    const details = h(
      "button",
      {
        type: "button",
        className: "problem-details",
        "aria-expanded": isOpen,
        "aria-label": `Details of ${props.code}`,
        onClick: () => setOpen(!isOpen),
      },
      isOpen ? "Fold" : "Details",
    );
    const line = problems ? problemLine : oauthLine;
    const lines = (problems ?? oauthErrors).entrySeq().map(([name, example]) => line(name, example));
    return h(
      React.Fragment,
      null,
      h(
        "tr",
        { className: "response problem", "data-code": props.code },
        h("td", { className: "response-col_status" }, props.code),
        h("td", { className: "response-col_description" }, h("ul", null, lines.toArray())),
        h("td", { className: "response-col_links" }, details),
      ),
      isOpen && h(Original, props),
    );
  };

  const headers = (Original) => (props) =>
    props.headers?.size
      ? h(
          "details",
          { className: "folded-headers" },
          h("summary", null, `Headers (${props.headers.size})`),
          h(Original, props),
        )
      : null;

  const responseBody = (Original) => (props) => {
    const image = qrCode(props);
    return h(
      React.Fragment,
      null,
      image &&
        h("img", {
          className: "qr-code",
          src: `data:image/svg+xml,${encodeURIComponent(image)}`,
          alt: "QR code for an authenticator app",
        }),
      h(Original, props),
    );
  };

  // Names for screen readers, and keys that scroll.
  const TextArea = (Original) => (props) => h(Original, { "aria-label": "Request body", ...props });
  const HighlightCode = (Original) => (props) =>
    props.className === "example"
      ? h(
          "div",
          { className: "example-scroll", tabIndex: 0, role: "group", "aria-label": "Example" },
          h(Original, props),
        )
      : h(Original, props);

  // The title and the first sentences are part of the page; the conventions are for later.
  const OAS31Info = () => ({ getComponent, specSelectors }) =>
    h(
      "section",
      { className: "info", "aria-label": "About this API" },
      h(getComponent("VersionStamp"), { version: specSelectors.version() }),
      h(getComponent("OpenAPIVersion"), { oasVersion: "3.1" }),
      h(
        "details",
        { className: "conventions" },
        h("summary", null, "How this API works: tokens, lists, errors, limits"),
        h(getComponent("Markdown", true), { source: specSelectors.selectInfoDescriptionField() }),
      ),
    );

  return {
    wrapComponents: {
      OperationSummary,
      response,
      headers,
      responseBody,
      TextArea,
      HighlightCode,
      OAS31Info,
    },
  };
}

// The image of a second factor in the body of a response; as an image it cannot run scripts.
function qrCode({ content, contentType }) {
  if (!/json/i.test(contentType) || typeof content !== "string") return null;
  try {
    const image = JSON.parse(content)?.qr_svg;
    return typeof image === "string" ? image : null;
  } catch {
    return null;
  }
}
