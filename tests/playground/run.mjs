// Uses the playground at PLAYGROUND_URL as a new user with the token PLAYGROUND_TOKEN, in Debian's
// Chromium or the one at CHROMIUM. Exits with status 1, and says why, if anything is not as it should be.
import assert from "node:assert/strict";

import { chromium } from "playwright-core";

import { GraphiQL, until, watch } from "./page.mjs";

const { PLAYGROUND_URL, PLAYGROUND_TOKEN: token, CHROMIUM = "/usr/bin/chromium" } = process.env;
const { origin } = new URL(PLAYGROUND_URL);

// With a new profile each time.
const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});

/** Opens the playground as if for the first time, calls `does` with the page, and checks that no other
 * problems than those expected come up. */
async function check(name, path, does, expected = []) {
  const problems = [];
  const context = await browser.newContext();
  context.setDefaultTimeout(20_000);
  await watch(context, origin, problems);
  const page = await context.newPage();
  try {
    await does(page, () => page.goto(origin + path));
    const others = problems.filter((problem) => !expected.some((it) => problem.includes(it)));
    assert.deepEqual(others, []);
    console.log(`ok ${name}`);
  } catch (error) {
    console.log([`FAILED: ${name}`, error.stack, ...problems].join("\n"));
    process.exitCode = 1;
  } finally {
    await context.close();
  }
}

/** Sends an operation to the server directly, without the playground. */
async function elsewhere(query, variables) {
  const response = await fetch(`${origin}/graphql`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

/** Changes the current workspace, which its subscribers receive as an event. */
async function changeWorkspace(description) {
  const { navigationState } = await elsewhere("{ navigationState { currentWorkspace { id } } }");
  const input = { workspaceId: navigationState.currentWorkspace.id, description };
  const mutation = "mutation($input: UpdateWorkspaceInput!) { updateWorkspace(input: $input) { workspace { id } } }";
  await elsewhere(mutation, { input });
}

const signedIn = `/#token=${token}`;
async function everyExampleWorksForSomebodyNew(page, open) {
  await open();
  const graphiql = new GraphiQL(page);
  await page.getByText("Signed in as ada@example.com").waitFor();
  assert.equal(page.url(), `${origin}/`, "the token has left the address");

  await graphiql.tab("WorkspaceEvents");
  await graphiql.answer("You have no workspace yet");

  await graphiql.tab("Navigation");
  const { data } = await graphiql.answer("navigationState");
  assert.equal(data.navigationState.viewer.email, "ada@example.com");
  assert.deepEqual(data.navigationState.workspaces, []);

  await graphiql.tab("CreateWorkspace");
  const made = await graphiql.answer("createWorkspace");
  assert.equal(made.data.createWorkspace.workspace.viewerRole, "OWNER");

  await graphiql.tab("Workspaces");
  const { workspaces } = (await graphiql.answer("workspaces")).data;
  assert.deepEqual(workspaces.nodes.map(({ name }) => name), ["Analytical Engines"]);

  await graphiql.tab("WorkspaceEvents");
  const ended = page.waitForEvent("requestfailed", (request) => request.postData().includes("WorkspaceEvents"));
  await graphiql.run.click();
  const event = await until(
    (attempt) => changeWorkspace(`Attempt ${attempt}`),
    () => graphiql.result("WORKSPACE_UPDATED", { timeout: 2_000 }),
  );
  assert.equal(event.data.workspaceEvents.subject.id, made.data.createWorkspace.workspace.id);
  await page.getByLabel("Stop query").click();
  await ended;
  await page.getByLabel("Execute query").waitFor();
  await changeWorkspace("Nobody is told");
  assert.ok(!JSON.stringify(await graphiql.result("Attempt")).includes("Nobody"));
}

async function whatIsWrongIsShown(page, open) {
  await open();
  const graphiql = new GraphiQL(page);
  await graphiql.tab("WorkspaceEvents");
  await graphiql.writeVariables('{ "workspaceId": "ws_01jv9k6rm5e2qscx1y2p9r8z4d" }');
  const { errors } = await graphiql.answer("NOT_FOUND");
  assert.equal(errors[0].extensions.code, "NOT_FOUND");
}

async function theSchemaCanBeRead(page, open) {
  await open();
  await page.getByLabel("Show Documentation Explorer").click();
  await page.getByRole("link", { name: "Subscription", exact: true }).click();
  await page.getByText("The subscription root: everything that can be followed.").waitFor();
  await page.getByLabel("Show GraphiQL Explorer").click();
  await page.locator(".graphiql-explorer-root").getByText("navigationState").waitFor();
  await page.getByLabel("Show History").click();
  await page.getByLabel("Open settings dialog").click();
  await page.getByText("Adjust how the interface appears.").waitFor();
  await page.keyboard.press("Escape");
  // With several operations, there is a menu to choose from.
  const graphiql = new GraphiQL(page);
  await graphiql.writeQuery("query One { viewer { id } } query Two { viewer { email } }", ["One", "Two"]);
  await graphiql.run.click();
  await page.getByRole("menuitem", { name: "Two" }).click();
  await graphiql.result("ada@example.com");
}

async function withoutATokenItSaysSo(page, open) {
  await open();
  await page.getByText("No token is set.").waitFor();
  const graphiql = new GraphiQL(page);
  await graphiql.answer("UNAUTHENTICATED");
  await page.getByPlaceholder("Paste a token").fill(`Bearer ${token}`);
  await page.getByRole("button", { name: "Use it" }).click();
  await graphiql.answer("ada@example.com");
  await page.getByRole("button", { name: "Forget the token" }).click();
  await page.getByText("No token is set.").waitFor();
  await graphiql.answer("UNAUTHENTICATED");
}

async function aWrongTokenIsForgotten(page, open) {
  await open();
  await page.getByText("The server refused the token").waitFor();
  assert.equal(page.url(), `${origin}/`);
  assert.ok(!(await page.evaluate(() => JSON.stringify(sessionStorage))).includes("wrong"));
  // The whole schema is there all the same, not just what GraphiQL requests from old servers.
  await page.getByLabel("Show Documentation Explorer").click();
  await page.locator(".graphiql-doc-explorer-root-type", { hasText: "subscription" }).waitFor();
  await page.reload();
  await page.getByText("No token is set.").waitFor();
}

async function withoutGraphiqlThePlainConsoleWorks(page, open) {
  await page.route("**/graphiql-*.js", (route) => route.abort());
  await open();
  await page.getByText("GraphiQL could not be loaded.").waitFor();
  const [send, status, result] = ["send", "status", "result"].map((id) => page.locator(`#${id}`));
  await send.click();
  await result.getByText("ada@example.com").waitFor();
  await page.getByLabel("Query").fill("{ nope }");
  await page.keyboard.press("Control+Enter");
  await result.getByText("GRAPHQL_VALIDATION_FAILED").waitFor();
  await status.getByText("1 error").waitFor();
  await page.getByLabel("Variables").fill("{");
  await send.click();
  await status.getByText("The variables are not valid JSON").waitFor();

  await page.getByLabel("Example", { exact: true }).selectOption("Follow a workspace");
  await send.click();
  await status.getByText("Listening").waitFor();
  await until(
    (attempt) => changeWorkspace(`Plain ${attempt}`),
    () => result.getByText("WORKSPACE_UPDATED").waitFor({ timeout: 2_000 }),
  );
  await send.getByText("Stop").click();
  await status.getByText("Ended.").waitFor();
  await send.getByText("Send").waitFor();
}

await check("every example works", signedIn, everyExampleWorksForSomebodyNew);
await check("what is wrong is shown", signedIn, whatIsWrongIsShown);
await check("the schema can be read", signedIn, theSchemaCanBeRead);
await check("without a token it says so", "/", withoutATokenItSaysSo, ["Status 401"]);
await check("a wrong token is forgotten", "/#token=wrong", aWrongTokenIsForgotten, ["Status 401"]);
// The blocked script, the explorer, which fails without it, and the invalid query.
const blocked = ["net::ERR_FAILED", "reading 'React'", "Status 400"];
await check("the plain console works", signedIn, withoutGraphiqlThePlainConsoleWorks, blocked);
await browser.close();
