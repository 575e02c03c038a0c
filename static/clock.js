// The server's time, and what shows it: countdowns and relative times. Each is computed from a fixed instant, never by
// counting ticks, so that a computer that slept shows the right time at once.

// What shows how long ago a time was: its own, or that of the element around it.
const AGES = "[data-ago], time[datetime] > small";

const UNITS = [["d", 86400], ["h", 3600], ["min", 60]];

// A moment by both clocks of the browser, in milliseconds. In many browsers the monotonic one stops while the computer
// sleeps; the wall clock can be set.
export const readClocks = () => ({ wall: Date.now(), monotonic: performance.now() });

// The milliseconds since a moment. If the clocks disagree, the computer slept or its clock was set: the longer time
// is right, unless the clock was set forward. The server's next response then corrects it.
export function since(moment) {
  const now = readClocks();
  return Math.max(now.wall - moment.wall, now.monotonic - moment.monotonic);
}

let known = { server: Date.now(), at: readClocks() };

// Call this when a response arrives. text: the server's time in it, in ISO 8601.
export function setServerTime(text, at = readClocks()) {
  const server = Date.parse(text);
  if (!Number.isNaN(server)) known = { server, at };
}

export const serverNow = () => known.server + since(known.at);

// When the page itself arrived: scripts run later, on a slow network by seconds.
function readArrival() {
  const now = readClocks();
  const arrival = performance.getEntriesByType?.("navigation")[0]?.responseStart || now.monotonic;
  const age = Math.max(0, now.monotonic - arrival);
  return { wall: now.wall - age, monotonic: now.monotonic - age };
}

function countDown(element) {
  const left = (Date.parse(element.dataset.until) - serverNow()) / 1000;
  const countdown = element.querySelector(".countdown");
  if (left > 0) {
    setText(countdown, `${Math.ceil(left)} s`);
    const button = element.closest("button");
    if (button) nameButton(button, Math.ceil(left));
    return;
  }
  element.removeAttribute("data-until");
  element.textContent = element.dataset.whenOver;
  element.closest("button")?.removeAttribute("aria-label");
  if ("enablesWhenOver" in element.dataset) element.closest("button").removeAttribute("aria-disabled");
  const button = element.closest("button[data-post-when-over]");
  if (button) postTo(button, button.dataset.postWhenOver);
}

// While the cooldown lasts, a press plans a test. Then it sends one.
function postTo(button, path) {
  button.removeAttribute("data-post-when-over");
  button.setAttribute("formaction", path);
  button.removeAttribute("title");
}

// A button's name is its text, with the countdown. Screen readers announce each change of the name of the focused
// element, so that of a focused button changes only now and then, and at once if the countdown is to something else.
const NAMED_EVERY = 15;  // s
function nameButton(button, seconds) {
  const name = button.textContent.replace(/\s+/g, " ").trim();
  if (button !== document.activeElement) button.removeAttribute("aria-label");
  else if (seconds % NAMED_EVERY === 0 || !counts(name, button.ariaLabel)) button.ariaLabel = name;
}

// Whether two names differ in nothing but the seconds.
const counts = (name, other) => other !== null && name.replace(/\d+ s/, "") === other.replace(/\d+ s/, "");

function formatRelative(seconds) {
  if (seconds === 0) return "just now";
  const size = Math.abs(seconds);
  const [unit, length] = UNITS.find(([, length]) => size >= length) ?? ["s", 1];
  const amount = `${Math.floor(size / length)} ${unit}`;
  return seconds > 0 ? `${amount} ago` : `in ${amount}`;
}

// A text that stays the same must not be written again: inside a live region, it could be announced again.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// In ISO 8601. An attribute has it as people read it: "2026-05-04 09:30:07 UTC".
const readTime = (element) => element.dataset.ago?.replace(" UTC", "Z").replace(" ", "T") ?? element.closest("time").dateTime;

export function showTimes() {
  for (const element of document.querySelectorAll("[data-until]")) countDown(element);
  for (const element of document.querySelectorAll(AGES)) {
    const age = serverNow() - Date.parse(readTime(element));
    setText(element, formatRelative(Math.round(age / 1000)));
  }
}

setServerTime(document.getElementById("page").dataset.now, readArrival());
setInterval(showTimes, 1000);
for (const event of ["visibilitychange", "resume"]) document.addEventListener(event, showTimes);
addEventListener("pageshow", showTimes);
