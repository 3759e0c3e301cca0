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
  // What was swapped in is said to those who do not see it.
  document.addEventListener("htmx:afterSwap", (event) => {
    const said = document.getElementById("said");
    const title = event.target.querySelector && event.target.querySelector("h1, h2, caption");
    if (said && title) said.textContent = title.textContent;
  });
})();
