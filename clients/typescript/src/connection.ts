import createClient, { type Client } from "openapi-fetch";
import { repeating, RETRIES, type Retries } from "./retries.js";
import type { paths } from "./schema.js";

/** A client: `GET`, `POST`, `PUT`, `PATCH` and `DELETE` with a path of the API. */
export type Roster = Client<paths>;

export interface Settings {
  /** The token of a session, or an API key. Without it, requests are anonymous. */
  token?: string;
  retries?: Partial<Retries>;
  /** Seconds for one attempt of a request; 10 unless told. */
  timeout?: number;
  /** What sends requests; the global `fetch` unless told. */
  fetch?: (request: Request) => Promise<Response>;
}

/**
 * Returns a client of the service at a URL.
 *
 * @param baseUrl The URL of the service, without `/v1`.
 * @throws TypeError if the URL is not one of a service, or the token is empty.
 */
export function connect(baseUrl: string, settings: Settings = {}): Roster {
  const address = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (!address || !["http:", "https:"].includes(address.protocol))
    throw new TypeError(`"${baseUrl}" is not a URL such as https://accounts.example.com.`);
  if (/\/v1\/*$/.test(address.pathname))
    throw new TypeError(`The paths have /v1 themselves; leave it out of "${baseUrl}".`);
  if (settings.token === "") throw new TypeError("The token is empty.");
  const send = settings.fetch ?? ((request: Request) => globalThis.fetch(request));
  const milliseconds = (settings.timeout ?? 10) * 1000;
  const timed = (request: Request) => {
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(milliseconds)]);
    return send(new Request(request, { signal }));
  };
  const fetch = repeating(timed, { ...RETRIES, ...settings.retries });
  const headers = settings.token ? { Authorization: `Bearer ${settings.token}` } : {};
  return createClient<paths>({ baseUrl, headers, fetch });
}
