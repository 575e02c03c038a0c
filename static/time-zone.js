// Reports the browser's time zone once, to an account that has none, and helps to choose one from the list.

import { findBrowserZone } from "./local-times.js";

const KEY = "reported-time-zone";

// A browser whose zone the server does not know would otherwise report it on every page.
function isReported(zone) {
  try {
    const before = sessionStorage.getItem(KEY);
    sessionStorage.setItem(KEY, zone);
    return before === zone;
  } catch {  // browsers may forbid storage
    return false;
  }
}

function report() {
  const [menu, zone] = [document.querySelector("[data-report-time-zone]"), findBrowserZone()];
  if (!menu || !zone || isReported(zone)) return;
  const headers = JSON.parse(document.body.getAttribute("hx-headers:inherited"));
  fetch(menu.dataset.reportTimeZone, { method: "POST", headers, body: new URLSearchParams({ zone }) }).catch(() => {});
}

const section = document.getElementById("time-zone");

// Two names may be of one zone: browsers have older ones.
function isSame(zone, other) {
  const canonize = (name) => Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone;
  try {
    return canonize(zone) === canonize(other);
  } catch {  // the browser knows only one of them
    return false;
  }
}

function offerBrowserZone() {
  const [offer, zone] = [section.querySelector("[data-browser-zone]"), findBrowserZone()];
  if (!zone || isSame(zone, section.dataset.stored)) return;
  offer.querySelector("b").textContent = zone.replaceAll("_", " ");
  offer.querySelector("button").value = zone;
  offer.hidden = false;
}

const letters = (text) => text.toLocaleLowerCase().normalize("NFD").replaceAll("_", " ");

// Leaves those zones in the list whose names have all the words in the box, and chooses the first of them.
function filterBy(box) {
  const [select, found] = [section.querySelector("select"), section.querySelector("[role=status]")];
  const [all, stored] = [[...select.children].map((group) => group.cloneNode(true)), select.value];
  box.addEventListener("input", () => {
    const words = letters(box.value).split(/\s+/);
    const fits = (option) => words.every((word) => letters(option.value).includes(word));
    const groups = all.map((group) => group.cloneNode(true));
    const options = groups.flatMap((group) => (group.matches("option") ? group : [...group.children]));
    const fitting = box.value.trim() ? options.filter((option) => option.value && fits(option)) : options;
    found.textContent = fitting.length ? "" : "No time zone has this name.";
    if (!fitting.length) return;
    for (const option of options) if (!fitting.includes(option)) option.remove();
    select.replaceChildren(...groups.filter((group) => fitting.includes(group) || group.children.length));
    select.value = fitting.some(({ value }) => value === stored) ? stored : fitting[0].value;
  });
  box.closest("label").hidden = false;
}

report();
if (section) {
  filterBy(section.querySelector("input[type=search]"));
  offerBrowserZone();
}
