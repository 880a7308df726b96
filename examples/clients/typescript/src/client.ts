// GraphQL over HTTP with fetch, and subscriptions over server-sent events, typed by the generated
// documents.
import { createClient, type Client as StreamClient } from "graphql-sse";

import type { ErrorCode, TypedDocumentString } from "./gql/graphql.js";

/** The variables argument: required if the document declares variables, otherwise not allowed. */
type Given<Variables> = Variables extends Record<string, never> ? [] : [variables: Variables];

interface Reply<Result> {
  readonly data?: Result | null | undefined;
  readonly errors?: readonly ReplyError[] | undefined;
}

interface ReplyError {
  readonly message: string;
  readonly extensions?: { readonly [name: string]: unknown } | undefined;
}

/** One problem with an input. */
export interface Violation {
  field: string;
  message: string;
}

/** An error returned by the server. */
export class TenantryError extends Error {
  override readonly name = "TenantryError";
  readonly code: ErrorCode | undefined;
  readonly violations: Violation[];

  constructor({ message, extensions }: ReplyError) {
    super(message);
    this.code = extensions?.["code"] as ErrorCode | undefined;
    this.violations = (extensions?.["violations"] as Violation[] | undefined) ?? [];
  }
}

/** Sends documents to a server, authenticated by a token. */
export class Client {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #stream: StreamClient;

  constructor(url: string, token: string) {
    this.#url = `${url}/graphql`;
    this.#headers = { Authorization: `Bearer ${token}` };
    this.#stream = createClient({ url: `${url}/graphql/stream`, headers: this.#headers });
  }

  /** Returns the data of a query or a mutation. Throws a `TenantryError` if there is an error. */
  async send<Result, Variables>(
    document: TypedDocumentString<Result, Variables>,
    ...[variables]: Given<Variables>
  ): Promise<Result> {
    const response = await fetch(this.#url, {
      method: "POST",
      headers: {
        ...this.#headers,
        Accept: "application/graphql-response+json",
        "Content-Type": "application/json",
      },
      body: JSON.stringify({ query: document.toString(), variables }),
    });
    return data((await response.json()) as Reply<Result>);
  }

  /** Yields the results of a subscription until it ends. Leaving the loop unsubscribes. */
  async *follow<Result, Variables extends Record<string, unknown>>(
    document: TypedDocumentString<Result, Variables>,
    variables: Variables,
  ): AsyncGenerator<Result> {
    const replies = this.#stream.iterate<Result>({ query: document.toString(), variables });
    for await (const reply of replies) yield data(reply);
  }
}

function data<Result>({ data, errors }: Reply<Result>): Result {
  if (errors?.[0]) throw new TenantryError(errors[0]);
  if (!data) throw new TenantryError({ message: "The reply holds no data" });
  return data;
}
