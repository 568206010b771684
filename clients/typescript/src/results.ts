import type { components } from "./schema.js";

/** The body of an error (RFC 9457). */
export type Problem = components["schemas"]["Problem"];
/** The paths of all types of problems. */
export type ProblemTypePath = components["schemas"]["ProblemTypePath"];

/** The service rejected a request. */
export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(`${problem.status} ${problem.title}: ${problem.detail}`);
    this.name = "ProblemError";
  }

  /** Whether the problem has this type. */
  is(path: ProblemTypePath): boolean {
    return isProblem(this.problem, path);
  }
}

/** Tells whether a problem has a type; the service may send the type as a path or a URL. */
export function isProblem(problem: Problem | undefined, path: ProblemTypePath): boolean {
  return problem?.type === path || (problem?.type.endsWith(path) ?? false);
}

/**
 * Returns the body of an answer.
 *
 * @throws ProblemError if the service rejected the request.
 * @throws TypeError if the answer is neither a result nor a problem, such as one of a proxy.
 */
export function expect<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.response.ok) return answer.data as T;
  const problem = answer.error as Partial<Problem> | undefined;
  if (typeof problem?.type === "string") throw new ProblemError(problem as Problem);
  throw new TypeError(`The answer has status ${answer.response.status}, and no problem in it.`);
}
