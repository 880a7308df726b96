"use strict";

// The plain console, for when GraphiQL is not available, and for those who prefer to do without it.

const examples = Array.from(document.querySelectorAll("template.example"), (template) => ({
  title: template.dataset.title,
  query: template.content.querySelector(".query").textContent,
  variables: template.content.querySelector(".variables").textContent,
}));

function openConsole(failed) {
  const element = (id) => document.getElementById(id);
  const [form, choice, query, variables, button, status, result] =
    ["request", "example", "query", "variables", "send", "status", "result"].map(element);

  // The subscription being followed.
  let following = null;

  async function send() {
    if (following) {
      following.return();
      return;
    }
    let parsed;
    try {
      parsed = variables.value.trim() ? JSON.parse(variables.value) : undefined;
    } catch (error) {
      status.textContent = "The variables are not valid JSON";
      result.textContent = error.message;
      return;
    }
    status.textContent = "…";
    result.textContent = "";
    const start = performance.now();
    try {
      const answer = await fetcher({ query: query.value, variables: parsed });
      if (answer[Symbol.asyncIterator]) await follow(answer);
      else show(answer, `after ${Math.round(performance.now() - start)} ms`);
    } catch (error) {
      status.textContent = "The server could not be reached";
      result.textContent = error.message;
    }
  }

  function show(answer, when) {
    const errors = answer.errors?.length ?? 0;
    const outcome = errors === 0 ? "Result" : errors === 1 ? "1 error" : `${errors} errors`;
    status.textContent = `${outcome}, ${when}`;
    result.textContent = JSON.stringify(answer, null, 2);
  }

  async function follow(answers) {
    following = answers;
    button.textContent = "Stop";
    status.textContent = "Listening";
    try {
      for await (const answer of answers) show(answer, `at ${new Date().toLocaleTimeString()}`);
    } finally {
      following = null;
      button.textContent = "Send";
      status.textContent += ". Ended.";
    }
  }

  function choose(example) {
    query.value = example?.query ?? "";
    variables.value = example?.variables ?? "";
  }

  choice.append(...examples.map((example) => new Option(example.title)));
  choice.addEventListener("change", () => choose(examples[choice.selectedIndex]));
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
  choose(examples[0]);

  element("graphiql").hidden = true;
  element("console").hidden = false;
  element("failed").hidden = !failed;
  const link = element("switch");
  link.textContent = "GraphiQL";
  link.href = location.pathname;
}
