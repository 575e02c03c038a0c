// While many destinations are tested at once, their progress is announced, and not also each badge, which names none.

// The last results reach the rows after the batch has ended.
const LAST_ROW = 1000;  // milliseconds

let isQuiet = false;

const isUnderWay = () => document.querySelector(isQuiet ? "#batch[hx-get], .status[hx-get]" : "#batch[hx-get]") !== null;

function announceRows(politeness) {
  for (const region of document.querySelectorAll(".status [aria-live]")) region.ariaLive = politeness;
  isQuiet = politeness === "off";
}

function update() {
  if (isUnderWay()) announceRows("off");
  else if (isQuiet) setTimeout(() => isUnderWay() || announceRows("polite"), LAST_ROW);
}

document.addEventListener("htmx:after:swap", update);
update();
