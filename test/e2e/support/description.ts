/** An OpenAPI description, and what of a response it does not allow. Pure. */

import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";

/** What was seen of a response. */
export interface Seen {
  readonly method: string;
  /** As it was asked for, with its query. */
  readonly path: string;
  readonly status: number;
  /** `Content-Type`, parameters and all; null if there was none. */
  readonly contentType: string | null;
  /** Whether there are no bytes; undefined if that was not checked. */
  readonly empty?: boolean;
  /** The bytes as text, where they were looked at. */
  readonly body?: string;
}

interface Media {
  readonly schema: unknown;
}
interface Described {
  readonly content?: Readonly<Record<string, Media>>;
}
interface Operation {
  readonly responses: Readonly<Record<string, Described>>;
}
type Methods = Readonly<Record<string, Operation>>;

/** What a path or a method that is not described is answered with; and strangers, whatever they ask for. */
const UNDESCRIBED = [404, 405, 426, 401, 403];
const DOCUMENT = "openapi";

export class Description {
  readonly #paths: readonly { readonly path: string; readonly pattern: RegExp; readonly methods: Methods }[];
  readonly #ajv = new Ajv2020({ allErrors: true, strict: false });

  constructor(document: { readonly paths: Readonly<Record<string, Methods>> }) {
    formats(this.#ajv);
    this.#ajv.addSchema(document, DOCUMENT, false, false);
    this.#paths = Object.entries(document.paths)
      .map(([path, methods]) => ({ path, pattern: patternOf(path), methods }))
      // What is written out comes before what stands for anything.
      .toSorted((a, b) => Number(a.path.includes("{")) - Number(b.path.includes("{")));
  }

  /** What is wrong with a response, in words; undefined if nothing is. */
  faultOf(seen: Seen): string | undefined {
    const fault = this.#fault(seen);
    return fault === undefined ? undefined : `${seen.method} ${seen.path} → ${seen.status}: ${fault}`;
  }

  /** Whether the body has to be looked at: it is JSON, by its type and by the description. */
  readsBody(seen: Seen): boolean {
    const found = this.#find(seen);
    const type = mediaType(seen);
    if (type !== "application/json" && type !== "application/problem+json") return false;
    return found === undefined || found.operation.responses[seen.status]?.content?.[type] !== undefined;
  }

  #fault(seen: Seen): string | undefined {
    const found = this.#find(seen);
    if (found === undefined) return this.#faultOfUndescribed(seen);
    const { path, method, operation } = found;
    const described = operation.responses[seen.status];
    if (described === undefined) {
      return `the status is not described; ${Object.keys(operation.responses).join(", ")} are`;
    }
    const { content } = described;
    const type = mediaType(seen);
    const bodiless = seen.method === "HEAD" || seen.empty === true;
    if (type === undefined) {
      return bodiless || content === undefined ? undefined : "it has a body without a media type";
    }
    // A HEAD's media type is that of the bytes that a GET would bring.
    if (content === undefined) return bodiless ? undefined : `a body is not described, and it is ${type}`;
    const name = [type, "*/*"].find((described_) => Object.hasOwn(content, described_));
    if (name === undefined) {
      return `the media type ${type} is not described; ${Object.keys(content).join(", ")} is`;
    }
    if (bodiless || seen.body === undefined || name === "*/*") return undefined;
    return this.#faultOfJson(seen.body, [
      "paths",
      path,
      method,
      "responses",
      String(seen.status),
      "content",
      name,
      "schema",
    ]);
  }

  #faultOfUndescribed(seen: Seen): string | undefined {
    if (!UNDESCRIBED.includes(seen.status)) {
      return `it is not described, and the answer is none of ${UNDESCRIBED.join(", ")}`;
    }
    if (seen.method === "HEAD") return undefined;
    if (mediaType(seen) !== "application/problem+json") return "it is not described, and no problem document";
    return seen.body === undefined
      ? undefined
      : this.#faultOfJson(seen.body, ["components", "schemas", "Problem"]);
  }

  #faultOfJson(body: string, place: readonly string[]): string | undefined {
    let value: unknown;
    try {
      value = JSON.parse(body);
    } catch {
      return `the body is no JSON: ${body.slice(0, 200)}`;
    }
    const pointer = place.map((name) => name.replaceAll("~", "~0").replaceAll("/", "~1")).join("/");
    const reference = `${DOCUMENT}#/${encodeURI(pointer)}`;
    const check = this.#ajv.getSchema(reference);
    if (check === undefined) return `the description has nothing at ${reference}`;
    if (check(value) === true) return undefined;
    return `${this.#ajv.errorsText(check.errors, { dataVar: "body" })}, in ${body.slice(0, 500)}`;
  }

  #find({
    method,
    path,
  }: Seen): { readonly path: string; readonly method: string; readonly operation: Operation } | undefined {
    const asked = pathOf(path);
    const matched = this.#paths.find(({ pattern }) => pattern.test(asked));
    if (matched === undefined) return undefined;
    const name = method.toLowerCase();
    const operation = matched.methods[name];
    return operation === undefined ? undefined : { path: matched.path, method: name, operation };
  }
}

/** The path that counts: a key in the query stands where the path ends. */
function pathOf(path: string): string {
  const [bare = "", query] = path.split("?");
  const key64 = new URLSearchParams(query).has("key64");
  return key64 && /^\/v1\/buckets\/[^/]*\/keys$/.test(bare) ? `${bare}/` : bare;
}

/** Of a template. A key may be empty: that it is no key is said by its endpoint. */
function patternOf(template: string): RegExp {
  const parts = template.split("/").map((part) => {
    if (part === "{key}") return "[^/]*";
    return part.startsWith("{") ? "[^/]+" : RegExp.escape(part);
  });
  return new RegExp(`^${parts.join("/")}$`);
}

function mediaType({ contentType }: Seen): string | undefined {
  return contentType?.split(";")[0]?.trim().toLowerCase();
}
