// What the server cannot do between responses: keep the page up to date, stop clicks, copy, and report lost responses.

import "./batch.js";
import "./clock.js";
import "./local-times.js";
import "./menus.js";
import "./press.js";
import "./search.js";
import "./switcher.js";
import "./time-zone.js";
import { UNREACHABLE, findInErrorPage, report, reportLostPress, settlePress } from "./stale-page.js";
import { isFailing, isRefresh, refreshWithin } from "./refresh.js";

// Only a fragment is swapped in. Anything else is an error page, from Alertcheck or a gateway, and would appear inside
// a badge.
const isFragment = (text) => /^\s*<(div|section)\b/i.test(text ?? "");

// A part of a whole page. A gateway's own page has no such part, and would empty ours.
function isSelection({ response, select, text }) {
  return Boolean(select) && response.status === 200 && text.includes(`id="${select.slice(1)}"`);
}

const isPress = ({ sourceElement }) => sourceElement.matches("button[hx-post], form[hx-post]");

// A failing server is polled more slowly. Its next fragment sets the interval again.
const RETRY_INTERVAL = 1000;  // ms
function slowPolling(element) {
  const interval = element.matches(".status") && element.getAttribute("hx-trigger")?.match(/^every (\d+)ms$/);
  if (!interval || interval[1] >= RETRY_INTERVAL) return;
  element.setAttribute("hx-trigger", `every ${RETRY_INTERVAL}ms`);
  htmx.process(element, true);
}

document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  if (!isRefresh(ctx) && !isFragment(ctx.text) && !isSelection(ctx)) event.preventDefault();
});
document.addEventListener("htmx:finally:request", (event) => {
  const { ctx } = event.detail;
  const { response, status, text } = ctx;
  const wasDeclined = !response && !status.startsWith("error");  // the user declined an hx-confirm question
  if (isRefresh(ctx) || wasDeclined || status.includes("AbortError")) return;
  const advice = isFragment(text) ? undefined : findInErrorPage(text, "p");  // a refused form says why with a status of 400
  if (isFragment(text) || (response?.status < 500 && !advice)) {
    if (isPress(ctx)) settlePress(ctx.sourceElement);
    report("request", "");
    if (isFailing()) refreshWithin(Math.random() * 5000);  // the server is back
    return;
  }
  if (isPress(ctx)) reportLostPress(ctx.sourceElement, advice);
  report("request", isPress(ctx) && advice ? "" : (advice ?? UNREACHABLE));
  slowPolling(event.target);
});

// The copy buttons need JavaScript, so the server sends them hidden.
function showCopyButtons() {
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    button.nextElementSibling.textContent = "Copied.";
  } catch {  // browsers allow access to the clipboard over https only
    const details = source.closest("details");
    if (details) details.open = true;
    if (source.select) source.select();
    else getSelection().selectAllChildren(source);
    button.nextElementSibling.textContent = "It is selected. Copy it with the keyboard.";
  }
});
document.addEventListener("htmx:after:swap", showCopyButtons);
showCopyButtons();
