"use strict";

// GraphQL over HTTP, and subscriptions over server-sent events (graphql-sse, distinct connections).

const fetcher = (() => {
  const ENDPOINT = new URL("graphql", document.baseURI);
  const JSON_TYPES = "application/graphql-response+json, application/json";
  // Stands for an id in the examples, so that they work for anybody who is signed in.
  const CURRENT_WORKSPACE = "CURRENT_WORKSPACE";

  async function post(params, headers, accept, signal) {
    const response = await fetch(ENDPOINT, {
      method: "POST",
      headers: { Accept: accept, "Content-Type": "application/json", ...token.headers(), ...headers },
      body: JSON.stringify(params),
      signal,
    });
    const wasRefused = response.status === 401 && token.refused();
    // Anybody may read the schema, and GraphiQL asks for it only once.
    if (wasRefused && params.operationName === "IntrospectionQuery") {
      return post(params, headers, accept, signal);
    }
    return response;
  }

  async function read(response) {
    const text = await response.text();
    try {
      return JSON.parse(text);
    } catch {
      // This comes not from the server but from something in front of it.
      const message = `${response.status} ${response.statusText}: ${text.slice(0, 500)}`;
      return { errors: [{ message }] };
    }
  }

  // Substitutes the id of the viewer's current workspace where the variables ask for it. Returns the
  // parameters to send, or else errors.
  async function filled(params, headers) {
    const text = JSON.stringify(params.variables ?? {});
    if (!text.includes(`"${CURRENT_WORKSPACE}"`)) return { params };
    const query = "{ navigationState { currentWorkspace { id } } }";
    const { data, errors } = await read(await post({ query }, headers, JSON_TYPES));
    if (!data) return { errors };
    const id = data.navigationState.currentWorkspace?.id;
    if (!id) return { errors: [{ message: "You have no workspace yet: create one first." }] };
    const variables = JSON.parse(text.replaceAll(`"${CURRENT_WORKSPACE}"`, JSON.stringify(id)));
    return { params: { ...params, variables } };
  }

  // Yields the data of each `next` event (HTML living standard, 9.2.6), until `complete`.
  async function* events(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text = (text + value).replace(/\r\n?/g, "\n");
      let end;
      while ((end = text.indexOf("\n\n")) >= 0) {
        const event = parse(text.slice(0, end));
        text = text.slice(end + 2);
        if (event.name === "complete") return;
        if (event.name === "next") yield JSON.parse(event.data);
      }
    }
  }

  function parse(block) {
    const event = { name: "message", data: "" };
    for (const line of block.split("\n")) {
      const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line);
      if (field === "event") event.name = value;
      if (field === "data") event.data += value;
    }
    return event;
  }

  function subscribe(params, headers) {
    const abort = new AbortController();
    async function* results() {
      try {
        const response = await post(params, headers, `text/event-stream, ${JSON_TYPES}`, abort.signal);
        const type = response.headers.get("Content-Type") ?? "";
        if (type.startsWith("text/event-stream")) yield* events(response);
        else yield await read(response);
      } catch (error) {
        if (!abort.signal.aborted) throw error;
      }
    }
    const iterator = results();
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      next: () => iterator.next(),
      // The generator's own would wait for the next event before it ends.
      return() {
        abort.abort();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  function isSubscription({ query, operationName: name }, document) {
    // The plain console has no parser; its documents have a single operation.
    if (!document) return /^\s*subscription\b/.test(query.replace(/^\s*#.*$/gm, ""));
    const operations = document.definitions.filter((it) => it.kind === "OperationDefinition");
    const chosen = operations.find((it) => it.name?.value === name) ?? operations[0];
    return chosen?.operation === "subscription";
  }

  // The signature is GraphiQL's.
  return async (asked, options) => {
    const headers = options?.headers ?? {};
    const { params, errors } = await filled(asked, headers);
    if (errors) return { errors };
    if (isSubscription(params, options?.documentAST)) return subscribe(params, headers);
    return read(await post(params, headers, JSON_TYPES));
  };
})();
