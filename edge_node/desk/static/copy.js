// Copies a field's text. Without this the text can be selected: a tap on it selects all of it.
"use strict";

for (const button of document.querySelectorAll("button[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand("copy"); // an old browser, or one that asks first
    }
    for (const other of document.querySelectorAll("button.copied")) other.classList.remove("copied");
    button.classList.add("copied");
    document.getElementById("copied").textContent = button.dataset.said;
  });
}
for (const field of document.querySelectorAll(".copy input")) {
  field.addEventListener("focus", () => field.select());
}
