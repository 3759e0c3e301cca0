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
  // From hit to hit by the links of the page: the server knows where they are.
  const follow = (rel) => { document.querySelector("a[rel=" + rel + "]")?.click(); };
  const day = (step) => {
    const days = [...document.querySelectorAll(".day")].map((heading) => heading.closest(".post"));
    const place = (post) => post.compareDocumentPosition(document.activeElement) & Node.DOCUMENT_POSITION_PRECEDING;
    const next = step > 0 ? days.find(place) || days[0]
      : days.filter((post) => !place(post) && !post.contains(document.activeElement)).pop();
    next?.focus();
    next?.scrollIntoView({ block: "start" });
  };
  const preview = () => {
    const shown = document.activeElement.closest(".hit")?.querySelector("details.preview");
    if (shown) shown.open = !shown.open;
    return Boolean(shown);
  };
  // What conv.js knows how to write down.
  const cite = () => {
    const post = document.activeElement.closest(".post");
    post?.dispatchEvent(new CustomEvent("cite", { bubbles: true }));
    return Boolean(post);
  };
  // The hit that has the focus, chosen or not; with Shift all from the one before.
  const choose = (shiftKey) => {
    const box = document.activeElement.closest(".hit")?.querySelector(".tick");
    box?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey }));
    return Boolean(box);
  };
  const keys = {
    "/": () => document.getElementById("query")?.focus(),
    j: () => move(1),
    k: () => move(-1),
    n: () => follow("next"),
    p: () => follow("prev"),
    "]": () => day(1),
    "[": () => day(-1),
    " ": () => preview(),
    c: () => cite(),
    x: () => choose(false),
    X: () => choose(true),
    "?": () => { location.href = "/help/keys"; },
  };
  let waiting = false;
  const places = { s: "/search", c: "/c", m: "/matters", r: "/retention", a: "/audit", h: "/" };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not(.tick), textarea, select, [contenteditable]")) return;
    if (waiting && places[event.key]) { location.href = places[event.key]; return; }
    waiting = event.key === "g";
    const act = keys[event.key];
    // A control that has the focus keeps its own blank.
    if (event.key === " " && event.target.closest("button, summary, details.preview, .tick")) return;
    if (act && act() !== false) event.preventDefault();
  });
  const feed = document.querySelector("[role=feed]");
  feed?.addEventListener("keydown", (event) => {
    if (event.key !== "PageDown" && event.key !== "PageUp") return;
    event.preventDefault();
    move(event.key === "PageDown" ? 1 : -1);
  });
})();
