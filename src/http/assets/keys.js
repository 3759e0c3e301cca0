// Keys for people who work all day: / to the query, j and k over rows, Enter opens, ? tells.
// Never in a field, never together with a modifier.
"use strict";
(() => {
  const rows = () => [...document.querySelectorAll(".hit, .conversation, .post, tr[tabindex]")];
  const move = (step) => {
    const all = rows();
    if (all.length === 0) return;
    const here = all.findIndex((row) => row.contains(document.activeElement));
    const next = all[Math.min(Math.max(here + step, 0), all.length - 1)];
    const target = next.matches("[tabindex]") ? next : next.querySelector("a, button") || next;
    target.focus();
    next.scrollIntoView({ block: "nearest" });
  };
  const keys = {
    "/": () => document.getElementById("query")?.focus(),
    j: () => move(1),
    k: () => move(-1),
    "?": () => { location.href = "/help/keys"; },
  };
  let waiting = false;
  const places = { s: "/search", c: "/c", m: "/matters", r: "/retention", a: "/audit", h: "/" };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    if (waiting && places[event.key]) { location.href = places[event.key]; return; }
    waiting = event.key === "g";
    const act = keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  const feed = document.querySelector("[role=feed]");
  feed?.addEventListener("keydown", (event) => {
    if (event.key !== "PageDown" && event.key !== "PageUp") return;
    event.preventDefault();
    move(event.key === "PageDown" ? 1 : -1);
  });
})();
