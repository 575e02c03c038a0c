// One sentence above the page while what it shows may be out of date.

const stale = document.getElementById("stale");

export const UNREACHABLE = stale.textContent;

// The latest failure of a refresh, and of any other request.
const sentences = { refresh: "", request: "" };

// sentence: empty if all is well again. A sentence that stays the same is not announced again.
export function report(source, sentence) {
  sentences[source] = sentence;
  const shown = sentences.refresh || sentences.request;
  stale.hidden = !shown;
  if (shown && stale.textContent !== shown) stale.textContent = shown;
}

// The title, or every sentence, of our own error page; undefined if the text is anything else.
export function findInErrorPage(text, selector) {
  const found = new DOMParser().parseFromString(text ?? "", "text/html").querySelectorAll(`#error ${selector}`);
  return [...found].map((element) => element.textContent).join(" ") || undefined;
}
