// What stays when htmx morphs a part of the page: what the person opened, typed, selected or scrolled to, and what is
// newer than the response.

const page = document.getElementById("page");

// Milliseconds for which a refused press keeps its reason, at least.
const READING_TIME = 10_000;

// When elements were last swapped on their own.
const swappedAt = new WeakMap();

// While a refresh is morphed in: when it was asked for, and whether something newer stayed.
let refresh = null;

export function beginRefresh(askedAt) {
  refresh = { askedAt, keptNewer: false, view: rememberView() };
}

// Returns whether something newer than the response stayed.
export function endRefresh() {
  const { keptNewer } = refresh ?? {};
  refresh = null;
  return keptNewer ?? false;
}

// A fragment that polls is up to date by itself. One that was swapped, or is being requested, since the refresh was
// asked for is newer than the refresh. A batch belongs to the visitor who started it. What is shown once stays.
function isNewer(element) {
  if (element.id === "batch" || element.matches(".status[hx-get], .htmx-request, .links:has([data-once])")) return true;
  if (element.matches(".status, #details") && element.querySelector(".htmx-request")) return true;
  if (!swappedAt.has(element)) return false;
  const age = element.querySelector(".refusal") ? READING_TIME : 0;
  return swappedAt.get(element) > refresh.askedAt - age;
}

// A report that is being copied, and the word that it was copied.
function isInUse(element) {
  return element.matches("[data-copied]") || (element.matches(".report") && element.contains(document.activeElement));
}

htmx.registerExtension("keep", {
  htmx_before_morph_node(_target, { oldNode }) {
    if (!refresh || oldNode === page || !(oldNode instanceof Element)) return true;
    const isKept = isNewer(oldNode);
    refresh.keptNewer ||= isKept;
    return !isKept && !isInUse(oldNode);
  },
  // The server knows neither which details are open, nor that the copy buttons work, nor which button has the focus, nor
  // how the switcher is filtered, nor that a batch is announced instead of its rows.
  htmx_before_morph_attr(element, { attrName }) {
    const kept = { open: "details", hidden: "[data-copy], .switcher *", "aria-label": "button:has([data-until])", "aria-live": "[aria-live=off]" }[attrName];
    return !kept || !element.matches(kept);
  },
});

document.addEventListener("htmx:before:settle", ({ target }) => {
  if (target === page && refresh) restoreView(refresh.view);
  if (refresh) return;
  swappedAt.set(target, performance.now());
  page.removeAttribute("data-version");  // the page no longer shows exactly what the server sent as this version
});

const startsInView = ({ top }) => top >= 0 && top < innerHeight;

// Where the focus is, and the place on the screen of the focused element, or else of every row and panel that starts in
// view. One that starts above may have grown there, and would not seem to move.
function rememberView() {
  const focused = document.activeElement;
  const isFocusVisible = page.contains(focused) && startsInView(focused.getBoundingClientRect());
  const candidates = isFocusVisible ? [focused] : [...page.querySelectorAll(".destination, .panel, .settings dt, tr, h1, h2")];
  const places = candidates.map((element) => [element, element.getBoundingClientRect()]);
  return { focused, tops: places.filter(([, place]) => startsInView(place)).map(([element, { top }]) => [element, top]) };
}

// Scrolls so that what the person looks at stays where it is on the screen. Rows may have moved in the list: the one
// that moved least decides.
function restoreView({ focused, tops }) {
  if (focused.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
  if (scrollY === 0) return;
  const moved = tops.filter(([element]) => element.isConnected).map(([element, top]) => element.getBoundingClientRect().top - top);
  if (moved.length) scrollBy({ top: moved.reduce((least, next) => (Math.abs(next) < Math.abs(least) ? next : least)), behavior: "instant" });
}
