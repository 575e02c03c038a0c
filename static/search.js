// The search box: / leads to it from anywhere, Escape leads back, and what was found gets the focus.

const box = () => document.getElementById("search-box");
const isTyping = ({ target }) => target.isContentEditable || target.matches?.("input, textarea, select");

let cameFrom = null;

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.ctrlKey && !event.altKey && !event.metaKey && !event.isComposing && !isTyping(event) && box()) {
    event.preventDefault();
    cameFrom = document.activeElement;
    box().focus();
  } else if (event.key === "Escape" && event.target === box()) {
    event.preventDefault();
    box().value = "";
    box().blur();
    cameFrom?.focus?.();
  }
});

document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (!ctx.sourceElement?.matches?.(".search") || ctx.response?.status !== 200) return;
  box().value = "";  // it may be a secret
  document.querySelector("#page h1")?.focus();
});
