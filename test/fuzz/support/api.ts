/** The service's own description, as a fuzzer needs it: operations, their parameters, and what schemas take. */

import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { Description } from "../../e2e/support/description.ts";

export type Schema = Readonly<Record<string, unknown>>;

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly schema: Schema;
}

export interface Operation {
  readonly id: string;
  /** In upper case. */
  readonly method: string;
  /** The path, with `{bucket}` and `{key}`. */
  readonly template: string;
  readonly parameters: readonly Parameter[];
  /** Whether it needs no token: it is answered before the API's own paths are. */
  readonly isPublic: boolean;
  /** The body's media type, and its schema. */
  readonly body: { readonly type: string; readonly schema: Schema; readonly required: boolean } | undefined;
}

interface OperationJson {
  readonly operationId: string;
  readonly security?: readonly unknown[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
  };
  readonly responses: Readonly<
    Record<
      string,
      {
        readonly description: string;
        readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
      }
    >
  >;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationJson>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const REFERENCE = "#/components/schemas/";

export class Api {
  readonly operations: readonly Operation[];
  /** Holds answers against the description. */
  readonly description: Description;
  readonly #document: Document;
  readonly #ajv = new Ajv2020({ strict: false });
  readonly #statuses = new Map<string, number>();

  constructor(document: Document) {
    this.#document = document;
    this.description = new Description(document);
    formats(this.#ajv);
    this.#ajv.addSchema(document, "api", false, false);
    const operations: Operation[] = [];
    for (const [template, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        operations.push(operationOf(template, method, operation));
        this.#learnStatuses(operation);
      }
    }
    this.operations = operations;
  }

  /** The schema itself, where there is only a reference to it. */
  resolve(schema: Schema): Schema {
    const { $ref } = schema;
    if (typeof $ref !== "string") return schema;
    return this.resolve(this.#document.components.schemas[$ref.slice(REFERENCE.length)] ?? {});
  }

  /** Whether the description's schema of that name takes a value. */
  takes(name: string, value: unknown): boolean {
    const check = this.#ajv.getSchema(`api${REFERENCE}${name}`);
    if (check === undefined) throw new Error(`The description does not have the schema ${name}.`);
    return check(value) === true;
  }

  /** Whether a parameter's schema takes a value; it has no references. */
  takesParameter({ schema }: Parameter, value: unknown): boolean {
    return this.#ajv.validate(schema, value);
  }

  /** The HTTP status of an error's code; undefined if the description does not have it. */
  statusOf(code: string): number | undefined {
    return this.#statuses.get(code);
  }

  #learnStatuses({ responses }: OperationJson): void {
    for (const [status, { description }] of Object.entries(responses)) {
      for (const [, code = ""] of description.matchAll(/`(\w+)` \(/g))
        this.#statuses.set(code, Number(status));
    }
    // What every path can meet that is not there.
    this.#statuses.set("path_not_found", 404).set("method_not_allowed", 405);
  }
}

export async function apiOf(http: string): Promise<Api> {
  const response = await fetch(`${http}/openapi.json`);
  return new Api((await response.json()) as Document);
}

function operationOf(
  template: string,
  method: string,
  { operationId, parameters, security, requestBody }: OperationJson,
): Operation {
  const [content] = Object.entries(requestBody?.content ?? {});
  return {
    id: operationId,
    method: method.toUpperCase(),
    template,
    parameters,
    isPublic: security?.length === 0,
    body:
      content === undefined
        ? undefined
        : { type: content[0], schema: content[1].schema, required: requestBody?.required === true },
  };
}
