// Keeps the numbers of an open page fresh. Only what stands in [data-live] is replaced, and only
// where it differs: what somebody types, chooses or has the cursor in stays. Without a place to
// listen the page looks for itself every 30 s. Nothing here keeps a sitting open.
"use strict";

const POLL_MS = 30000, REST_MS = 5000;
const quiet = { headers: { "X-Quiet": "1" }, credentials: "same-origin" };
const root = new URL(".", document.currentScript.src.replace(/static\/[^/]*$/, "")).href;
let told = null, refreshed = 0, waits = 0;

async function refresh() {
  waits = 0;
  refreshed = Date.now();
  const answer = await fetch(location.href, quiet);
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const fresh = page.querySelector(`[data-live="${part.dataset.live}"]`);
    if (!fresh || fresh.innerHTML === part.innerHTML) continue;
    const at = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    part.className = fresh.className;
    part.innerHTML = fresh.innerHTML;
    if (at) part.querySelector(`[href="${CSS.escape(at)}"]`)?.focus();
  }
}

function news(mark) {
  if (told !== null && mark !== told) {
    waits ||= setTimeout(() => refresh().catch(() => {}), Math.max(0, refreshed + REST_MS - Date.now()));
  }
  told = mark;
}

function poll() {
  setTimeout(async () => {
    try {
      const answer = await fetch(root + "news/now", quiet);
      if (answer.redirected) return;
      if (answer.ok) news(await answer.text());
    } catch { /* the line to the station is cut: look again */ }
    poll();
  }, POLL_MS);
}

const stream = new EventSource(root + "news");
stream.addEventListener("message", (event) => news(event.data));
stream.addEventListener("end", () => stream.close());
stream.addEventListener("poll", () => { stream.close(); poll(); });
stream.addEventListener("error", () => { if (stream.readyState === EventSource.CLOSED) poll(); });
window.addEventListener("pagehide", () => stream.close());
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
