// Tries all features of the client once, as the owner of the token:
//
//     TENANTRY_URL=http://127.0.0.1:8080 TENANTRY_TOKEN=… npm start
import { Client, TenantryError } from "./client.js";
import {
  createPrompts,
  createWorkspace,
  followRun,
  item,
  navigation,
  prompts,
  startRun,
  workspacePage,
  workspacePages,
} from "./workspaces.js";

const { TENANTRY_URL: url = "http://127.0.0.1:8080", TENANTRY_TOKEN: token } = process.env;
if (!token) throw new Error("TENANTRY_TOKEN is not set: `tenantry token` prints one");
const client = new Client(url, token);

const { viewer, currentWorkspace } = await navigation(client);
console.log(`Signed in as ${viewer.email}`);
console.log(`Current workspace: ${currentWorkspace ? item(currentWorkspace).name : "none yet"}`);

const workspace = await createWorkspace(client, {
  name: "Rocket Labs",
  domain: "rockets.example",
  settings: { theme: "dark" },
});
console.log(`Made ${workspace.name}, as its ${workspace.viewerRole}`);
console.log(`Made today: ${Date.now() - Date.parse(workspace.createdAt) < 86_400_000}`);
console.log(`Settings: ${JSON.stringify(workspace.settings)}`);

let number = 0;
for await (const page of workspacePages(client, 2)) {
  console.log(`Page ${++number}: ${page.map(({ name }) => name).join(", ")}`);
}
const last = await workspacePage(client, 2, 2);
console.log(`Page 2 of ${last.pages}: ${last.workspaces.map(({ name }) => name).join(", ")}`);

try {
  await createWorkspace(client, { name: "R" });
} catch (error) {
  if (!(error instanceof TenantryError) || error.code !== "INVALID_INPUT") throw error;
  console.log(`Refused: ${error.violations.map(({ field }) => field).join(", ")}`);
}

await createPrompts(client, workspace.id, [
  { text: "Who builds small rockets?", tags: ["Rockets"] },
  { text: "What does a launch cost?" },
]);
const asked = await prompts(client, workspace.id);
console.log(`Prompts: ${asked?.prompts.nodes.map(({ text }) => text).join(" ")}`);

const { status, jobId } = await startRun(client, workspace.id);
console.log(`Run: ${status}`);
if (jobId) {
  let end;
  for await (const progress of followRun(client, jobId)) end = progress;
  console.log(`Ended: ${end?.status}, ${end?.completed} answers, ${end?.failed} failures`);
}
