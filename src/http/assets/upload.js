// Sends files in parts: shows how far it is, goes on after a broken connection, takes what is dropped.
// Without it the form sends the files in one go.
"use strict";
(() => {
  const form = document.getElementById("upload");
  const field = document.getElementById("files");
  const list = document.getElementById("sending");
  if (!form || !field || !list || !window.fetch) return;
  const PART = 4 * 1024 * 1024;
  const TRIES = 6;
  const mark = form.elements.csrf.value;
  const headers = (more) => ({ "x-csrf-token": mark, ...more });
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  const row = (name) => {
    const item = document.createElement("li");
    const label = document.createElement("bdi");
    const bar = document.createElement("progress");
    const told = document.createElement("small");
    label.textContent = name;
    bar.setAttribute("aria-label", "Sent of " + name);
    bar.max = 1;
    bar.value = 0;
    item.append(label, " ", bar, " ", told);
    list.append(item);
    return { bar, told };
  };

  const begin = async (file) => {
    const body = new URLSearchParams({ name: file.name, bytes: file.size, modified: file.lastModified });
    const answer = await fetch("/imports/uploads", { method: "POST", body, headers: headers() });
    if (!answer.ok) throw new Error("The server did not take the file (" + answer.status + ").");
    return (await answer.json()).id;
  };
  const received = async (id) => {
    const answer = await fetch("/imports/uploads/" + id + "/part");
    if (!answer.ok) throw new Error("The server does not know the file any more. Send it again.");
    return (await answer.json()).at;
  };
  const part = (id, file, at) => {
    const end = Math.min(at + PART, file.size);
    return fetch("/imports/uploads/" + id + "/part", {
      method: "POST",
      body: file.slice(at, end),
      headers: headers({
        "content-type": "application/octet-stream",
        "content-range": "bytes " + at + "-" + (end - 1) + "/" + file.size,
      }),
    });
  };

  const send = async (file) => {
    const shown = row(file.name);
    const id = await begin(file);
    let at = 0;
    let tries = 0;
    while (at < file.size) {
      try {
        const answer = await part(id, file, at);
        if (answer.ok) { at = (await answer.json()).at; tries = 0; }
        else if (answer.status === 409) at = await received(id);
        else throw Object.assign(new Error("The server refused a part (" + answer.status + ")."), { final: true });
      } catch (error) {
        tries += 1;
        if (error.final || tries > TRIES) throw error;
        shown.told.textContent = "The connection broke; trying again.";
        await pause(500 * 2 ** tries);
        at = await received(id).catch(() => at);
        continue;
      }
      shown.bar.value = at / file.size;
      shown.told.textContent = Math.floor((100 * at) / file.size) + " %";
    }
    const body = new URLSearchParams(new FormData(form));
    body.delete("file");
    const begun = await fetch("/imports/uploads/" + id, { method: "POST", body, headers: headers() });
    if (!begun.ok) throw new Error("The import was not begun (" + begun.status + ").");
    return id;
  };

  const sendAll = async (files) => {
    const said = document.getElementById("said");
    const ids = [];
    let failed = false;
    for (const file of files) {
      try { ids.push(await send(file)); }
      catch (error) {
        failed = true;
        const item = list.lastElementChild;
        if (item) item.lastElementChild.textContent = error.message;
        if (said) said.textContent = file.name + ": " + error.message;
      }
    }
    if (failed) return;
    location.href = ids.length === 1 ? "/imports/uploads/" + ids[0] : "/imports";
  };

  form.addEventListener("submit", (event) => {
    if (field.files.length === 0) return;
    event.preventDefault();
    sendAll([...field.files]);
  });
  const zone = form.querySelector(".drop");
  for (const kind of ["dragover", "dragleave", "drop"]) {
    zone?.addEventListener(kind, (event) => {
      event.preventDefault();
      zone.classList.toggle("over", kind === "dragover");
    });
  }
  zone?.addEventListener("drop", (event) => {
    const files = [...(event.dataTransfer?.files || [])];
    if (files.length > 0) sendAll(files);
  });
})();
