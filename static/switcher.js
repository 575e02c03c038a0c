// The list of workspaces: filters as one types, and the arrow keys lead through it. It opens unfiltered; menus.js closes it.

const switcher = () => document.querySelector(".switcher");
const filter = () => document.getElementById("switcher-filter");
const links = () => [...switcher().querySelectorAll("a")].filter((link) => !link.closest("li").hidden);

// Without JavaScript, the box would do nothing: the server sends it hidden.
function prepare() {
  if (!filter()) return;
  filter().hidden = false;
  const words = filter().value.toLocaleLowerCase().split(/\s+/);
  for (const item of switcher().querySelectorAll("li:not(.switcher-filter)")) {
    const name = item.textContent.toLocaleLowerCase();
    item.hidden = !words.every((word) => name.includes(word));
  }
}

// To the next or previous link; from the first one up to the box, and from the box down to the first one.
function move(step) {
  const places = [filter(), ...links()].filter(Boolean);
  const at = places.indexOf(document.activeElement);
  places[Math.max(0, Math.min(places.length - 1, at + step))]?.focus();
}

document.addEventListener("input", ({ target }) => target === filter() && prepare());
document.addEventListener("toggle", ({ target }) => {
  if (target !== switcher() || !filter()) return;
  if (target.open) return filter().focus();
  filter().value = "";
  prepare();
}, true);
document.addEventListener("keydown", (event) => {
  if (!switcher()?.open || !switcher().contains(event.target) || event.isComposing) return;
  if (event.key === "ArrowDown") move(1);
  else if (event.key === "ArrowUp") move(-1);
  else if (event.key === "Enter" && event.target === filter()) links()[0]?.click();
  else return;
  event.preventDefault();
});
document.addEventListener("htmx:after:swap", prepare);
prepare();
