// Everything works without this. It narrows lists while somebody types, keeps Enter of a reader or
// a tired hand from leaving a form, takes a second tap on a button for one, holds the sitting
// open while somebody types, keeps what was typed, and sends a new slip to the printer.
"use strict";

function fold(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").replace(/[đĐðÐ]/g, "d").toLowerCase();
}

for (const box of document.querySelectorAll("input[data-filter]")) {
  const list = document.getElementById(box.dataset.filter);
  const none = document.getElementById(box.dataset.filter + "-none");
  const narrow = () => {
    const words = fold(box.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of list.children) {
      row.hidden = !words.every((word) => row.dataset.key.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    none.hidden = shown > 0;
  };
  box.addEventListener("input", narrow);
  box.form.addEventListener("submit", (event) => {
    event.preventDefault();
    const first = [...list.children].find((row) => !row.hidden);
    if (first) first.querySelector("a").focus();
  });
  if (!box.defaultValue) narrow();
}

for (const form of document.querySelectorAll("form[data-keep]")) {
  form.addEventListener("keydown", (event) => {
    const isInput = event.target.tagName === "INPUT" && !["hidden", "file"].includes(event.target.type);
    if (event.key !== "Enter" || !isInput || event.target.id === "card") return;
    event.preventDefault();
    const inputs = [...form.querySelectorAll("input:not([type=hidden]), select, textarea, button")];
    const next = inputs[inputs.indexOf(event.target) + 1];
    if (next) next.focus();
  });
  let told = Date.now();
  form.addEventListener("input", () => {
    if (Date.now() - told < 60000) return;
    told = Date.now();
    fetch(location.pathname, { method: "HEAD", credentials: "same-origin" });
  });
}

// A picture is sent as soon as it is chosen; one that is too large is told at once.
for (const input of document.querySelectorAll("input[data-send]")) {
  const button = document.getElementById(input.dataset.send);
  if (button) button.hidden = true;
  input.addEventListener("change", () => {
    const file = input.files[0];
    const large = Boolean(file) && file.size > Number(input.dataset.max);
    input.form.querySelector("[data-large]").hidden = !large;
    input.form.querySelector("[data-wait]").hidden = large || !file;
    if (file && !large) input.form.requestSubmit(button);
  });
}

for (const form of document.querySelectorAll("form[data-ask]")) {
  form.addEventListener("submit", (event) => {
    if (confirm(form.dataset.ask)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  });
}

for (const form of document.querySelectorAll("form[method=post]:not([target])")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const told of document.querySelectorAll("[data-wait]")) told.hidden = true;
});

// A form that is being filled in is kept on the machine, so that no power cut loses it.
for (const form of document.querySelectorAll("form[data-draft]")) {
  let waits = 0;
  const keep = () => {
    waits = 0;
    fetch(form.dataset.draft, { method: "POST", body: new FormData(form) }).catch(() => {});
  };
  form.addEventListener("input", () => { waits ||= setTimeout(keep, 1000); });
  form.addEventListener("submit", () => clearTimeout(waits));
}

// A slip that was just made goes to the printer: the browser shows its own window for that.
for (const frame of document.querySelectorAll("iframe[data-print]")) {
  const form = document.querySelector("form[data-now]");
  frame.addEventListener("load", () => {
    try {
      if (frame.contentWindow.location.href !== "about:blank") frame.contentWindow.print();
    } catch { /* the browser shows PDFs elsewhere; the button is there */ }
  });
  if (form && performance.getEntriesByType("navigation")[0]?.type === "navigate") form.submit();
}

for (const button of document.querySelectorAll("button[data-print-page]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

const wrong = document.querySelector(".wrong input:not([type=hidden]), .wrong select");
if (wrong) wrong.focus();
