// Hits that are chosen: how many, ranges with Shift, and no act while there is none.
"use strict";
(() => {
  const bar = document.getElementById("chosen");
  if (!bar) return;
  const tally = bar.querySelector(".tally"), all = bar.elements.all;
  const boxes = () => [...document.querySelectorAll(".tick")];
  let last = null;
  const tell = () => {
    const count = boxes().filter((box) => box.checked).length;
    tally.textContent = all.checked ? "Every hit is chosen" : count > 0 ? count + " chosen" : tally.dataset.none;
    const none = !all.checked && count === 0;
    bar.classList.toggle("idle", none);
    for (const button of bar.querySelectorAll("button")) button.disabled = none;
  };
  document.addEventListener("click", (event) => {
    const box = event.target;
    if (!box.matches(".tick")) return;
    const row = boxes();
    const [from, to] = [row.indexOf(last), row.indexOf(box)].sort((one, other) => one - other);
    if (event.shiftKey && from >= 0) for (const one of row.slice(from, to)) one.checked = box.checked;
    last = box;
  });
  document.addEventListener("change", tell);
  // The browser remembers boxes when somebody comes back.
  window.addEventListener("pageshow", tell);
  tell();
})();
