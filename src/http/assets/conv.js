// A conversation that goes on as it is read: what comes next is fetched when an end comes near, what is far
// behind is let go. And the citation of a message. The links of the page do the same without this.
"use strict";
(() => {
  const KEPT = 600;
  const feed = document.querySelector(".feed");
  if (!feed) return;
  const posts = () => [...feed.querySelectorAll(":scope > .post")];
  const said = (words) => { document.getElementById("said").textContent = words; };
  const pager = { before: document.querySelector("[data-side=before]"), after: document.querySelector("[data-side=after]") };
  const edge = (side) => (side === "before" ? feed.firstElementChild : feed.lastElementChild);
  const link = (side, more) => {
    const nav = pager[side], post = edge(side);
    nav.hidden = !more;
    if (more) nav.querySelector("a").href = nav.dataset.path + post.id + nav.dataset.tail + "#" + post.id;
  };
  // Places among the messages that are here, and one heading for each day.
  const number = () => {
    const all = posts();
    let day = "";
    all.forEach((post, place) => {
      post.setAttribute("aria-posinset", place + 1);
      post.setAttribute("aria-setsize", all.length);
      const heading = post.querySelector(".day");
      if (heading && heading.dataset.day === day) heading.remove();
      else if (heading) day = heading.dataset.day;
    });
  };
  // Lets go what is farthest from where is read; the one with the focus stays.
  const trim = (side) => {
    const other = side === "before" ? "after" : "before";
    let gone = 0;
    while (feed.childElementCount > KEPT && !edge(other).contains(document.activeElement)) {
      edge(other).remove();
      gone += 1;
    }
    if (gone > 0) link(other, true);
  };
  const held = (change) => {
    const first = posts().find((post) => post.getBoundingClientRect().bottom > 0);
    const before = first?.getBoundingClientRect().top;
    change();
    if (first?.isConnected) window.scrollBy({ top: first.getBoundingClientRect().top - before, behavior: "instant" });
  };
  let busy = false;
  const more = async (side) => {
    const nav = pager[side];
    if (busy || nav.hidden) return;
    busy = true;
    try {
      const answer = await fetch(nav.querySelector("a").href);
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = [...page.querySelectorAll(".feed > .post")].filter((post) => !document.getElementById(post.id));
      const goes = page.querySelector("[data-side=" + side + "]");
      held(() => {
        if (side === "before") feed.prepend(...fresh); else feed.append(...fresh);
        number();
        trim(side);
        link(side, fresh.length > 0 && goes && !goes.hidden);
      });
      said(fresh.length + " more messages");
      // Asked again, should the end still be near.
      watch.unobserve(nav);
      if (fresh.length > 0) watch.observe(nav);
    } finally {
      busy = false;
    }
  };
  const watch = new IntersectionObserver((seen) => {
    for (const one of seen) if (one.isIntersecting) more(one.target.dataset.side);
  }, { rootMargin: "600px 0px" });
  // The page first comes to rest where its address leads.
  window.addEventListener("load", () => setTimeout(() => {
    for (const nav of Object.values(pager)) {
      watch.observe(nav);
      nav.querySelector("a").addEventListener("click", (event) => { event.preventDefault(); more(nav.dataset.side); });
    }
  }, 300));

  const citation = (post) => {
    const time = post.querySelector(".cite time"), day = time.dateTime.slice(0, 10);
    const who = post.querySelector(".sender").textContent.trim();
    const title = document.querySelector("h1").textContent.trim();
    return who + ", " + time.dateTime + " (" + time.textContent.trim() + " " + feed.dataset.zone + ", " + day + " UTC), "
      + title + " (" + feed.dataset.app + "), " + post.id + ", SHA-256 of the words " + post.dataset.sha256;
  };
  feed.addEventListener("cite", async (event) => {
    const post = event.target.closest(".post");
    try {
      await navigator.clipboard.writeText(citation(post));
      post.dataset.copied = "";
      setTimeout(() => delete post.dataset.copied, 2500);
      said("Citation copied");
    } catch {
      said("This browser does not let pages copy");
    }
  });
})();
