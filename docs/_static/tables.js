// Tables of text, not of numbers, are stacked on a phone (site.css): each cell gets the title of its column if there are
// several beside the first.
addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll(".bd-article table.table:not(.autosummary)")) {
    const [head, ...rows] = table.rows;
    const cells = rows.flatMap(row => [...row.cells]);
    if (!cells.some(cell => cell.cellIndex && cell.textContent.length > 40)) continue;
    table.classList.add("stacks");
    if (head.cells.length < 3) continue;
    for (const cell of cells) {
      const title = head.cells[cell.cellIndex].textContent.trim();
      if (title && cell.cellIndex) cell.dataset.title = title;
    }
  }
});
