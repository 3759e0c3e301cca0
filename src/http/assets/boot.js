// Loaded first: lets htmx turn an answer of ours into elements, and nothing else; and takes a token
// from behind the hash of an address, where no server sees it, into its form.
"use strict";
(() => {
  if (window.trustedTypes && trustedTypes.createPolicy) {
    trustedTypes.createPolicy("default", { createHTML: (text) => text });
  }
  document.addEventListener("DOMContentLoaded", () => {
    const field = document.getElementById("token");
    const hash = location.hash.replace(/^#(t=)?/, "");
    if (!field || !hash) return;
    field.value = decodeURIComponent(hash);
    history.replaceState(null, "", location.pathname);
    const enter = document.getElementById("enter");
    if (enter) enter.submit();
  });
  // On a phone rows of a table stand as blocks: every cell says what it is, and stays a cell.
  const told = (root) => {
    for (const table of root.querySelectorAll("table.grid")) {
      const heads = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
      if (heads.length < 3) continue;
      table.classList.add("told");
      const roles = { table: [table], rowgroup: table.querySelectorAll("thead, tbody"), row: table.rows,
        columnheader: table.querySelectorAll("thead th"), rowheader: table.querySelectorAll("tbody th"), cell: table.querySelectorAll("td") };
      for (const [role, all] of Object.entries(roles)) for (const one of all) one.setAttribute("role", role);
      for (const cell of roles.cell) cell.dataset.of = cell.colSpan > 1 ? "" : heads[cell.cellIndex] || "";
    }
  };
  document.addEventListener("DOMContentLoaded", () => told(document));
  document.addEventListener("htmx:afterSwap", (event) => told(event.target.parentNode || document));
  // What was swapped in is said to those who do not see it.
  document.addEventListener("htmx:afterSwap", (event) => {
    const said = document.getElementById("said");
    const title = event.target.querySelector && event.target.querySelector("h1, h2, caption");
    if (said && title) said.textContent = title.textContent;
  });
})();
