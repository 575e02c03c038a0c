// Lists the texts of a page whose contrast is under 4.5 (WCAG 2.2, 1.4.3). Controls that are switched off are exempt there.
() => {
  const LEAST = 4.5;
  const INACTIVE = ":disabled, [aria-disabled=true]";

  function parse(colour) {
    const found = colour.match(/^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?\)$/);
    if (!found) throw new Error(`This colour cannot be read: ${colour}`);
    const [red, green, blue, alpha = 1] = found.slice(1).filter((part) => part !== undefined).map(Number);
    return { channels: [red, green, blue], alpha };
  }

  function paint(channels, { channels: over, alpha }, opacity) {
    return channels.map((channel, index) => channel + (over[index] - channel) * alpha * opacity);
  }

  function luminance(channels) {
    const [red, green, blue] = channels
      .map((channel) => channel / 255)
      .map((share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  function measure(element) {
    const chain = [];
    for (let each = element; each; each = each.parentElement) chain.unshift(getComputedStyle(each));
    let opacity = 1;
    let ground = [255, 255, 255];
    for (const style of chain) {
      opacity *= Number(style.opacity);
      ground = paint(ground, parse(style.backgroundColor), opacity);
    }
    const text = paint(ground, parse(chain.at(-1).color), opacity);
    const [dark, light] = [luminance(text), luminance(ground)].sort((one, other) => one - other);
    return (light + 0.05) / (dark + 0.05);
  }

  function isRead(element) {
    const box = element.getBoundingClientRect();
    const isShown = element.checkVisibility({ visibilityProperty: true }) && box.width > 1 && box.height > 1;
    return isShown && !element.closest(INACTIVE) && !["SCRIPT", "STYLE"].includes(element.tagName);
  }

  function describe(element) {
    const names = [element, element.parentElement].map((each) => [each.localName, ...each.classList].join("."));
    return `${names[1]} > ${names[0]} "${String(element.value || element.textContent).trim().slice(0, 30)}"`;
  }

  const withText = [...document.body.querySelectorAll("*")].filter(
    (element) => element.value || [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()),
  );
  return withText
    .filter(isRead)
    .map((element) => [describe(element), measure(element)])
    .filter(([, contrast]) => contrast < LEAST)
    .map(([description, contrast]) => `${description}: ${contrast.toFixed(2)}`);
}
