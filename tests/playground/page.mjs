// The playground in a browser: what a person does there, and what they see.

/** Collects everything that must not happen: script errors, violations of the page's policy, requests to
 * other origins, and failed responses. */
export async function watch(context, origin, problems) {
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && url.origin !== origin) problems.push(`Asked for ${url}`);
  });
  context.on("response", (response) => {
    const asked = response.request().postData() ?? response.url();
    if (!response.ok()) problems.push(`Status ${response.status()} for ${asked.slice(0, 200)}`);
  });
  context.on("weberror", (error) => problems.push(`Threw ${error.error()}`));
  context.on("console", (message) => {
    const isTold = message.text().startsWith("Failed to load resource: the server responded");
    if (["error", "warning"].includes(message.type()) && !isTold) problems.push(message.text());
  });
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
      console.error(`The policy forbids ${blockedURI} by ${violatedDirective}`),
    );
  });
}

/** GraphiQL on a page. */
export class GraphiQL {
  constructor(page) {
    this.page = page;
    this.run = page.locator(".graphiql-execute-button");
  }

  /** Opens the tab of an example. */
  async tab(name) {
    await this.page.locator(".graphiql-tab-button", { hasText: new RegExp(`^${name}$`) }).click();
    await this.#understood([name]);
  }

  /** Writes a query that contains these operations. */
  async writeQuery(text, operations) {
    const editor = this.page.locator(".graphiql-query-editor .CodeMirror");
    await editor.evaluate((it, text) => it.CodeMirror.setValue(text), text);
    await this.#understood(operations);
  }

  async writeVariables(text) {
    const editor = this.page.locator(".graphiql-editor-tool .CodeMirror").first();
    await editor.evaluate((it, text) => it.CodeMirror.setValue(text), text);
  }

  /** Waits until GraphiQL knows the operations of the query; before that it would run the previous ones. */
  async #understood(operations) {
    await this.page.waitForFunction((operations) => {
      const { CodeMirror } = document.querySelector(".graphiql-query-editor .CodeMirror");
      const known = (CodeMirror.operations ?? []).map(({ name }) => name?.value);
      return JSON.stringify(known) === JSON.stringify(operations);
    }, operations);
  }

  /** The result that is shown, once the text occurs in it. */
  async result(text, options) {
    const isShown = (text) => {
      const { CodeMirror } = document.querySelector(".result-window .CodeMirror");
      return CodeMirror.getValue().includes(text);
    };
    await this.page.waitForFunction(isShown, text, options);
    const shown = await this.page
      .locator(".result-window .CodeMirror")
      .evaluate((it) => it.CodeMirror.getValue());
    return JSON.parse(shown);
  }

  /** Runs the tab, and returns the result once the text occurs in it. */
  async answer(text) {
    await this.run.click();
    return this.result(text);
  }
}

/** Repeats `does` until `isThere` resolves, at most 20 times. */
export async function until(does, isThere) {
  for (let attempt = 1; ; attempt++) {
    await does(attempt);
    try {
      return await isThere();
    } catch (error) {
      if (attempt === 20) throw error;
    }
  }
}
