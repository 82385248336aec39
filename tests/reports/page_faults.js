// What is wrong with the page that is shown: a list of sentences.
(async () => {
  const faults = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth)
    faults.push(`scrolls sideways: ${root.scrollWidth} pixels wide in ${root.clientWidth}`);

  for (const image of document.images) {
    await image.decode().catch(() => {});
    if (!image.complete || !image.naturalWidth) faults.push(`an image did not load: ${image.alt}`);
    if (!image.alt.trim()) faults.push("an image has no alternative text");
  }

  // Contrast as WCAG 2.2 defines it, section 1.4.3: at least 4.5 for text of this size.
  const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
  const over = ([r, g, b, alpha = 1], below) => [r, g, b].map((value, i) => alpha * value + (1 - alpha) * below[i]);
  const background = (element) => element
    ? over(numbers(getComputedStyle(element).backgroundColor), background(element.parentElement))
    : [255, 255, 255];
  const luminance = (colour) => {
    const [r, g, b] = colour.map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (seen.has(element) || !texts.currentNode.data.trim() || !element.checkVisibility()) continue;
    seen.add(element);
    const below = background(element);
    const text = over(numbers(getComputedStyle(element).color), below);
    const [dark, light] = [luminance(below), luminance(text)].sort((a, b) => a - b);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5) faults.push(`contrast ${contrast.toFixed(2)}: ${texts.currentNode.data.trim()}`);
  }
  return faults;
})()
