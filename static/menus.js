// The menus of the bar: Escape closes an open one and returns the focus to what opened it, and so does leaving it.

const openMenus = () => document.querySelectorAll("details.menu[open]");

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  for (const menu of openMenus()) {
    const hadFocus = menu.contains(document.activeElement) || document.activeElement === document.body;
    menu.open = false;
    if (hadFocus) menu.querySelector("summary").focus();
  }
});

// The Tab key leaves a menu that would cover what it leads to.
document.addEventListener("focusin", ({ target }) => {
  for (const menu of openMenus()) {
    if (!menu.contains(target)) menu.open = false;
  }
});
