"use strict";

// The token that requests are sent with. It comes in the URL's fragment, which browsers send to nobody,
// or is pasted; it is kept in this tab until the tab is closed.

const token = (() => {
  const KEY = "tenantry.token";
  const element = (id) => document.getElementById(id);
  // If the browser stores nothing for us, the token is kept at least until the page is left.
  let current = null;

  function load() {
    try {
      current = sessionStorage.getItem(KEY);
    } catch {
      // Storage is disabled.
    }
  }

  function set(value) {
    current = value;
    try {
      if (value) sessionStorage.setItem(KEY, value);
      else sessionStorage.removeItem(KEY);
    } catch {
      // Storage is disabled.
    }
    show("No token is set.");
  }

  function takeFromAddress() {
    const found = new URLSearchParams(location.hash.slice(1)).get("token");
    if (found === null) return;
    history.replaceState(null, "", location.pathname + location.search);
    set(found.trim() || null);
  }

  // For display only: only the server decides whether to trust a token's claims.
  function describe(value) {
    try {
      const payload = value.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
      const bytes = Uint8Array.from(atob(payload), (char) => char.charCodeAt(0));
      const claims = JSON.parse(new TextDecoder().decode(bytes));
      const until = claims.exp ? `, until ${new Date(claims.exp * 1000).toLocaleString()}` : "";
      return `Signed in as ${claims.email ?? claims.sub}${until}`;
    } catch {
      return "Signed in with a token";
    }
  }

  function show(why) {
    element("sign-in").hidden = current !== null;
    element("sign-out").hidden = current === null;
    element("why").textContent = why;
    element("who").textContent = current === null ? "" : describe(current);
  }

  element("sign-in").addEventListener("submit", (event) => {
    event.preventDefault();
    const input = element("token");
    set(input.value.trim().replace(/^Bearer\s+/i, "") || null);
    input.value = "";
  });
  element("sign-out").addEventListener("submit", (event) => {
    event.preventDefault();
    set(null);
  });
  // Opening such a URL in a tab that already shows the playground does not reload the page.
  addEventListener("hashchange", takeFromAddress);

  load();
  show("No token is set.");
  takeFromAddress();

  return {
    headers: () => (current === null ? {} : { Authorization: `Bearer ${current}` }),
    // Drops a token that the server refused. Returns whether there was one.
    refused() {
      if (current === null) return false;
      set(null);
      show("The server refused the token: it may have expired.");
      return true;
    },
  };
})();
