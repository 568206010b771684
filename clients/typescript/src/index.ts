/** Client of Roster: openapi-fetch with the types of its OpenAPI document. */
export { connect, type Roster, type Settings } from "./connection.js";
export { each, type ItemOf, type ListPath } from "./pages.js";
export { expect, isProblem, ProblemError, type Problem, type ProblemTypePath } from "./results.js";
export { type Retries } from "./retries.js";
export type { components, operations, paths } from "./schema.js";
