// The form of a destination. htmx has it checked first, and swaps in the errors alone: what was typed stays in the page,
// and no response contains it. A form that can be saved is submitted as without JavaScript, and so is one whose check
// failed in another way, since the server then keeps what was typed.

let submitter = null;  // the button that was pressed
let approved = null;  // the form that is being submitted
let isLeaving = false;

// Milliseconds after which a form can be submitted again. Whoever stops the browser keeps what was typed.
const LONGEST_LEAVE = 15_000;

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-checked]")) return;
  if (isLeaving) event.preventDefault();
  if (isLeaving || event.target === approved) event.stopPropagation();  // keeps it from htmx
  else submitter = event.submitter;
}, true);

document.addEventListener("htmx:finally:request", ({ target, detail: { ctx } }) => {
  if (!target.matches?.("form[data-checked]") || ctx.response?.status === 200 || isLeaving) return;
  approved = target;
  target.requestSubmit(submitter);
  approved = null;
  isLeaving = true;
  setTimeout(() => { isLeaving = false; }, LONGEST_LEAVE);
});

addEventListener("pageshow", () => { isLeaving = false; });  // back from the next page

// After a check, keeps aria-invalid in step with the error, for screen readers.
document.addEventListener("htmx:after:swap", () => {
  for (const check of document.querySelectorAll(".field > .check")) {
    const input = check.parentElement.querySelector("input, textarea, select");
    if (check.querySelector(".error")) {
      input.setAttribute("aria-invalid", "true");
      check.closest("details")?.setAttribute("open", "");
    }
    else input.removeAttribute("aria-invalid");
  }
});
