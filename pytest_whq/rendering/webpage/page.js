
"use strict";
{
  const table = document.querySelector("table");
  const body = table && table.tBodies[0];
  const rows = body ? [...body.rows] : [];
  const known = (cell) => cell.dataset.v ?? cell.textContent;

  const compare = (a, b) => (isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b);

  const sort = (header) => {
    const down = header.getAttribute("aria-sort") === "ascending";
    for (const other of header.parentNode.cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const keyed = rows.map((row) => [known(row.cells[header.cellIndex]), row]);
    // What is not known comes last, whichever way the rest is sorted.
    keyed.sort(([a], [b]) => (a === "") - (b === "") || (down ? compare(b, a) : compare(a, b)));
    body.append(...keyed.map(([, row]) => row));
  };

  for (const button of document.querySelectorAll("th button")) {
    button.addEventListener("click", () => sort(button.parentNode));
  }

  if (rows.length > 10) {
    const filter = document.createElement("input");
    filter.type = "search";
    filter.placeholder = "Filter tests";
    filter.setAttribute("aria-label", "Filter tests");
    filter.addEventListener("input", () => {
      const wanted = filter.value.toLowerCase();
      for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    });
    table.before(filter);
  }
}
