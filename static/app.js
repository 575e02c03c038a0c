// What the server cannot do between two answers: count a button down, keep "12 s ago" true, and say that it is silent.

const AHEAD = Date.now() - Date.parse(document.body.dataset.now ?? new Date().toISOString());  // of the server, in ms
const UNITS = [["d", 86400], ["h", 3600], ["min", 60]];
let lastTick = performance.now();

function countDown(button, seconds) {
  const left = Number(button.dataset.secondsLeft) - seconds;
  button.dataset.secondsLeft = left;
  if (left > 0) {
    button.querySelector(".countdown").textContent = `${Math.ceil(left)} s`;
    return;
  }
  button.removeAttribute("data-seconds-left");
  button.removeAttribute("aria-disabled");
  button.querySelector(".countdown").textContent = "";
}

function inWords(seconds) {
  if (seconds === 0) return "just now";
  const size = Math.abs(seconds);
  const [unit, length] = UNITS.find(([, length]) => size >= length) ?? ["s", 1];
  const amount = `${Math.floor(size / length)} ${unit}`;
  return seconds > 0 ? `${amount} ago` : `in ${amount}`;
}

function tick() {
  const now = performance.now();
  const seconds = (now - lastTick) / 1000;
  lastTick = now;
  for (const button of document.querySelectorAll("[data-seconds-left]")) countDown(button, seconds);
  for (const time of document.querySelectorAll("time[datetime] > span:first-child")) {
    time.textContent = inWords(Math.round((Date.now() - AHEAD - Date.parse(time.parentElement.dateTime)) / 1000));
  }
}

setInterval(tick, 1000);

// A button that counts down keeps the focus, so it is not disabled: its click is stopped here, and by the server's rule.
document.addEventListener("click", (event) => {
  if (event.target.closest("button[aria-disabled=true]")) event.preventDefault();
}, true);
document.addEventListener("submit", (event) => {
  if (event.submitter?.ariaDisabled === "true") event.stopPropagation();
}, true);

// Only a fragment is swapped in: anything else is an error page, ours or a gateway's, and would stand inside a badge.
const stale = document.getElementById("stale");
const isFragment = (text) => /^\s*<(div|section)\b/i.test(text ?? "");

// A server in trouble is not asked at the pace of a healthy one; its next fragment says how often again.
const IN_TROUBLE = 1000;  // ms
function slowDown(element) {
  const pace = element.matches(".status") && element.getAttribute("hx-trigger")?.match(/^every (\d+)ms$/);
  if (!pace || pace[1] >= IN_TROUBLE) return;
  element.setAttribute("hx-trigger", `every ${IN_TROUBLE}ms`);
  htmx.process(element, true);
}

document.addEventListener("htmx:before:swap", (event) => {
  const { response, select, text } = event.detail.ctx;
  const isPart = select && response.status === 200;  // of a whole page of ours
  if (!isFragment(text) && !isPart) event.preventDefault();
});
document.addEventListener("htmx:finally:request", (event) => {
  const { response, status, text } = event.detail.ctx;
  const wasDropped = !response && !status.startsWith("error");  // a question was answered with no
  if (wasDropped || status.includes("AbortError")) return;
  stale.hidden = response?.status < 500 || isFragment(text);
  if (!stale.hidden) slowDown(event.target);
});

// Copying needs a script, so its button shows only where there is one.
function offerToCopy() {
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.value);
    button.nextElementSibling.textContent = "Copied.";
  } catch {  // without https a page may not write to the clipboard
    source.closest("details").open = true;
    source.select();
    button.nextElementSibling.textContent = "Marked below: copy it with the keyboard.";
  }
});
document.addEventListener("htmx:after:swap", offerToCopy);
offerToCopy();
