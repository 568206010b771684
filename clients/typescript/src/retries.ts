/** When to repeat a request that is answered with 503 and `Retry-After`. */
export interface Retries {
  /** The most requests in all; 1 repeats none. */
  attempts: number;
  /** The longest total wait between them, in seconds; a longer `Retry-After` ends the attempts. */
  patience: number;
}

export const RETRIES: Retries = { attempts: 4, patience: 30 };

type Send = (request: Request) => Promise<Response>;

/** Returns the seconds that `Retry-After` tells, as a number or a date (RFC 9110, 10.2.3). */
function secondsOf(retryAfter: string | null): number | undefined {
  if (!retryAfter) return undefined;
  if (/^\d+$/.test(retryAfter)) return Number(retryAfter);
  // Date.parse reads "-1" and "1.5" as dates, too.
  const until = retryAfter.endsWith(" GMT") ? Date.parse(retryAfter) : NaN;
  return Number.isNaN(until) ? undefined : Math.max(0, (until - Date.now()) / 1000);
}

/** Waits, or rejects as soon as the caller aborts the request. */
function sleep(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", end);
      resolve();
    }, seconds * 1000);
    signal.addEventListener("abort", end, { once: true });
  });
}

/** Returns a fetch that gives each change a key, and repeats a request while the service asks. */
export function repeating(send: Send, retries: Retries): Send {
  return async (request) => {
    const changes = request.method === "POST" || request.method === "PATCH";
    if (changes && !request.headers.has("Idempotency-Key"))
      request.headers.set("Idempotency-Key", crypto.randomUUID());
    for (let attempt = 1, waited = 0; ; attempt++) {
      const last = attempt >= retries.attempts;
      // A request can be sent once; its copy has the same body.
      const response = await send(last ? request : request.clone());
      const wait = secondsOf(response.headers.get("Retry-After"));
      if (response.status !== 503 || last || wait === undefined) return response;
      if (waited + wait > retries.patience) return response;
      await response.body?.cancel();
      await sleep(wait, request.signal);
      waited += wait;
    }
  };
}
