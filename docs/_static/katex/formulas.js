// Draws the formulas of a page; one that KaTeX does not know stays as it is written, and is an error of the console.
document.addEventListener("DOMContentLoaded", () => {
  for (const node of document.querySelectorAll(".tex")) {
    const tex = node.textContent;
    try {
      katex.render(tex, node, { displayMode: node.tagName === "DIV", strict: "ignore" });
    } catch (error) {
      node.textContent = tex;
      console.error(`${tex}: ${error.message}`);
    }
  }
});
