// A field that was checked while it was left is invalid, or no longer, for those who hear the page too.
document.addEventListener("htmx:after:swap", () => {
  for (const check of document.querySelectorAll(".field > .check")) {
    const input = check.parentElement.querySelector("input, textarea");
    if (check.querySelector(".error")) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
});
