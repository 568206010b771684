import type { Roster } from "./connection.js";
import { expect } from "./results.js";
import type { paths } from "./schema.js";

interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}
type BodyOf<P extends keyof paths> = paths[P] extends {
  get: { responses: { 200: { content: { "application/json": infer Body } } } };
}
  ? Body
  : never;

/** The paths of lists that come in pages. */
export type ListPath = {
  [P in keyof paths]: BodyOf<P> extends Page<unknown> ? P : never;
}[keyof paths];
/** The rows of a list. */
export type ItemOf<P extends ListPath> = BodyOf<P> extends Page<infer Item> ? Item : never;

type ParametersOf<P extends ListPath> = paths[P] extends { get: { parameters: infer Found } }
  ? Found
  : never;
type QueryOf<P extends ListPath> = ParametersOf<P> extends { query?: infer Query }
  ? Omit<NonNullable<Query>, "cursor">
  : never;
type PathOf<P extends ListPath> = ParametersOf<P> extends { path: infer Ids }
  ? { path: Ids }
  : { path?: never };
type Options<P extends ListPath> = PathOf<P> & { query?: QueryOf<P> };
type Rest<P extends ListPath> = PathOf<P> extends { path?: never }
  ? [options?: Options<P>]
  : [options: Options<P>];

/**
 * Reads a list to its end, a page at a time: `for await (const user of each(roster, "/v1/users"))`.
 *
 * @throws ProblemError if the service rejected a request.
 */
export async function* each<P extends ListPath>(
  roster: Roster,
  path: P,
  ...[options]: Rest<P>
): AsyncGenerator<ItemOf<P>, void, undefined> {
  const get = roster.GET as (
    path: P,
    init: object,
  ) => Promise<{ data?: Page<ItemOf<P>>; error?: unknown; response: Response }>;
  let cursor: string | null | undefined;
  do {
    const query = { ...options?.query, ...(cursor ? { cursor } : {}) };
    const page = expect(await get(path, { params: { path: options?.path, query } }));
    yield* page.items;
    cursor = page.next_cursor;
  } while (cursor);
}
