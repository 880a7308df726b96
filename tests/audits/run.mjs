// Runs the audits of GraphQL over HTTP from the package graphql-http against the server at AUDIT_URL,
// signed in with the token AUDIT_TOKEN. Prints the audits that fail, and exits with status 1 if any does.
import { auditServer } from "graphql-http";

const { AUDIT_URL: url, AUDIT_TOKEN: token } = process.env;

const fetchFn = (input, init = {}) => {
  const headers = { ...init.headers, authorization: `Bearer ${token}` };
  return fetch(input, { ...init, headers });
};

const results = await auditServer({ url, fetchFn });
for (const result of results.filter(({ status }) => status !== "ok")) {
  const { id, name, status, reason, response } = result;
  console.log(`${status} ${id} ${name}: ${reason}`);
  console.log(`  ${response.status} ${await response.text()}`);
}
const passed = results.filter(({ status }) => status === "ok").length;
console.log(`${passed} of ${results.length} audits pass`);
process.exitCode = passed === results.length && results.length > 0 ? 0 : 1;
