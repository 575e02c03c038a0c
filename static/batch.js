// While many destinations are tested at once, their progress is announced, and not also each badge, which names none. A
// row in which somebody presses a button meanwhile is announced: that person knows which one it is.

// The last results reach the rows after the batch has ended.
const LAST_ROW = 1000;  // milliseconds

let isQuiet = false;
const pressed = new Set();  // the ids of those rows

const listRows = () => [...document.querySelectorAll(".status")].filter(({ id }) => !pressed.has(id));
const isBatchUnderWay = () => document.querySelector("#batch[hx-get]") !== null;
const isUnderWay = () => isBatchUnderWay() || (isQuiet && listRows().some((row) => row.matches("[hx-get]")));

function announce(rows, politeness) {
  for (const row of rows)
    for (const region of row.querySelectorAll("[aria-live]")) region.ariaLive = politeness;
}

function update() {
  if (isUnderWay()) {
    isQuiet = true;
    announce(listRows(), "off");
  }
  else if (isQuiet) setTimeout(() => isUnderWay() || end(), LAST_ROW);
}

function end() {
  isQuiet = false;
  announce(listRows(), "polite");
  pressed.clear();
}

document.addEventListener("htmx:before:request", ({ detail: { ctx: { sourceElement } } }) => {
  const row = isQuiet && sourceElement.matches("button[form=presses]") && sourceElement.closest(".status");
  if (!row) return;
  pressed.add(row.id);
  announce([row], "polite");
});
document.addEventListener("htmx:after:swap", update);
update();
