"use strict";

// The plain console: for when GraphiQL is not there, and for those who would rather do without it.

const examples = Array.from(document.querySelectorAll("template.example"), (template) => ({
  title: template.dataset.title,
  query: template.content.querySelector(".query").textContent,
  variables: template.content.querySelector(".variables").textContent,
}));

function openConsole(failed) {
  const element = (id) => document.getElementById(id);
  const [form, choice, query, variables, status, result] =
    ["request", "example", "query", "variables", "status", "result"].map(element);

  async function send() {
    let parsed;
    try {
      parsed = variables.value.trim() ? JSON.parse(variables.value) : undefined;
    } catch (error) {
      status.textContent = "The variables are no JSON";
      result.textContent = error.message;
      return;
    }
    status.textContent = "…";
    const start = performance.now();
    try {
      const answer = await fetcher({ query: query.value, variables: parsed });
      const errors = answer.errors?.length ?? 0;
      const outcome = errors === 0 ? "Result" : errors === 1 ? "1 error" : `${errors} errors`;
      status.textContent = `${outcome}, after ${Math.round(performance.now() - start)} ms`;
      result.textContent = JSON.stringify(answer, null, 2);
    } catch (error) {
      status.textContent = "The server could not be reached";
      result.textContent = error.message;
    }
  }

  function show(example) {
    query.value = example?.query ?? "";
    variables.value = example?.variables ?? "";
  }

  choice.append(...examples.map((example) => new Option(example.title)));
  choice.addEventListener("change", () => show(examples[choice.selectedIndex]));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      send();
    }
  });
  show(examples[0]);

  element("graphiql").hidden = true;
  element("console").hidden = false;
  element("failed").hidden = !failed;
  const link = element("switch");
  link.textContent = "GraphiQL";
  link.href = location.pathname;
}
