// Keeps an open page true: asks once a minute for its new state while it is visible, and when it becomes visible again.

import { readClocks, serverNow, setServerTime, showTimes, since } from "./clock.js";
import { beginRefresh, endRefresh } from "./kept-on-morph.js";
import { formatClock } from "./local-times.js";
import { findInErrorPage, report, settleLostPress } from "./stale-page.js";

// Milliseconds. The server may ask for a longer interval, with the header Poll-After.
const INTERVAL = 60_000;
const FIRST_RETRY = 5_000;
const LONGEST_RETRY = 120_000;
const TIMEOUT = 15_000;
const LONGEST_PRESS = 10_000;

const page = document.getElementById("page");
const address = () => location.pathname + location.search;

// Pages that were opened or failed together do not ask together.
const spread = (milliseconds, share) => milliseconds * (1 - share + 2 * share * Math.random());

let asked = readClocks();
let wait = spread(INTERVAL, 0.1);
let request = null;  // the one in flight: { address, askedAt, arrived, isDropped, isOvertaken }
let failures = 0;
let asOf = serverNow();
let pressedAt = null;

export const isRefresh = (ctx) => ctx.sourceElement === page;

// Makes the next refresh due in at most so many milliseconds.
export function refreshWithin(milliseconds) {
  wait = Math.min(wait, since(asked) + milliseconds);
}

// Asks at once. What changed after the request in flight was asked may be missing in its response.
function refreshNow() {
  if (request) request.isOvertaken = true;
  refreshWithin(0);
  askIfDue();
}

// The server reports that somebody has said whether the message arrived, or that the customer has tested.
document.addEventListener("receipt", refreshNow);

export const isFailing = () => failures > 0;

const isPressed = () => pressedAt !== null && since(pressedAt) < LONGEST_PRESS;

function askIfDue() {
  noticeClockChange();
  const isLive = "refreshed" in page.dataset && !document.hidden;
  if (isLive && !request && !isPressed() && since(asked) >= wait) ask();
}

async function ask() {
  asked = readClocks();
  request = { address: address(), askedAt: performance.now(), arrived: null, isDropped: false, isOvertaken: false };
  scheduleNext(FIRST_RETRY);
  const version = page.dataset.version;
  try {
    await htmx.ajax("GET", request.address, {
      source: page,
      target: page,
      select: "#page",
      selectOOB: "#top:outerMorph",
      swap: "outerMorph",
      headers: version ? { "If-None-Match": `W/"${version}"` } : {},
    });
  } finally {
    request = null;
  }
}

function scheduleNext(milliseconds) {
  asked = readClocks();
  wait = milliseconds;
}

// A proxy may answer with a page of its own. A redirect leads to another page.
function isThisPage({ response, text }) {
  return response.status === 200 && !response.raw.redirected && text.includes('<div id="page" data-refreshed');
}

// A row must not move under a pressed button. A filter that was changed meanwhile has its own response.
const isWelcome = () => request.address === address() && !isPressed();

document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  if (isRefresh(ctx)) ctx.request.timeout = TIMEOUT;
  if (document.hidden && ctx.sourceEvent?.type === "every") event.preventDefault();  // hidden tabs ask nothing
});

document.addEventListener("htmx:before:response", ({ detail: { ctx } }) => {
  if (isRefresh(ctx)) request.arrived = readClocks();
});

document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  if (!isRefresh(ctx)) return;
  request.isDropped = isThisPage(ctx) && !isWelcome();
  if (isThisPage(ctx) && !request.isDropped) beginRefresh(request.askedAt);
  else event.preventDefault();
});

document.addEventListener("htmx:finally:swap", ({ detail: { ctx } }) => {
  if (!isRefresh(ctx) || !isThisPage(ctx)) return;
  if (endRefresh()) page.removeAttribute("data-version");
  setServerTime(page.dataset.now, request.arrived);
  showTimes();
});

document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (!isRefresh(ctx) || ctx.hx?.redirect || ctx.hx?.refresh) return;  // the browser leaves the page
  if (request.isDropped) scheduleNext(1000);
  else if (ctx.response?.status === 304 || (ctx.response && ctx.text && isThisPage(ctx))) noteSuccess(ctx.response);
  else noteFailure(ctx.text);
});

function noteSuccess({ headers }) {
  failures = 0;
  asOf = serverNow();
  const interval = Number(headers.get("Poll-After")) * 1000 || INTERVAL;
  scheduleNext(request.isOvertaken ? 0 : spread(interval, 0.1));
  report("refresh", "");
  settleLostPress(request.askedAt);
}

function noteFailure(text) {
  failures += 1;
  scheduleNext(spread(Math.min(FIRST_RETRY * 2 ** (failures - 1), LONGEST_RETRY), 0.5));
  const reason = findInErrorPage(text, "h1") ?? "The server is not responding";
  report("refresh", `${reason}. This page shows the state as of ${formatClock(asOf)}. It is updated as soon as the server responds.`);
}

// If one of the browser's clocks left the other behind, the computer slept or its clock was set. Only the server's
// time tells which, so it must send the whole page.
let clocks = readClocks();
function noticeClockChange() {
  const now = readClocks();
  const gap = now.wall - clocks.wall - (now.monotonic - clocks.monotonic);
  clocks = now;
  if (Math.abs(gap) < 2000) return;
  page.removeAttribute("data-version");
  refreshWithin(0);
}

function wakeUp() {
  if (document.hidden) return;
  refreshWithin(Math.max(0, 1000 - since(asked)));
  askIfDue();
  for (const element of document.querySelectorAll('[hx-trigger^="every"]')) htmx.trigger(element, "every", {}, false);
}

document.addEventListener("visibilitychange", wakeUp);
addEventListener("pageshow", (event) => event.persisted && wakeUp());
addEventListener("online", () => isFailing() && refreshWithin(spread(FIRST_RETRY, 0.9)));

function press() {
  pressedAt = readClocks();
}
function release() {
  pressedAt = null;
}
document.addEventListener("pointerdown", (event) => event.isPrimary && event.button === 0 && press(), true);
document.addEventListener("keydown", (event) => event.key === " " && event.target.matches?.("button, summary") && press(), true);
for (const name of ["pointerup", "pointercancel", "dragend", "keyup"]) document.addEventListener(name, release, true);
addEventListener("blur", release);

setInterval(askIfDue, 1000);
