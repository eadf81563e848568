// Tables that stay as they are while their numbers change: rows have keys, cells are filled anew only where they differ. They can be sorted,
// and a row can be opened for more.

import { h, put } from "./dom.js";
import { count, number } from "./words.js";

/**
 * A table.
 * columns: `{ id, label, cell(row), numeric?, sort? }`; those with `sort` can be sorted by that key, the largest first if numeric.
 * key(row): what tells a row from others. detail(row): what is shown when it is opened, a node or a promise of one.
 * sorted: `{ get(), set(key) }`, where the order is kept.
 */
export class Table {
  constructor({ caption, columns, key, detail, sorted, empty }) {
    Object.assign(this, { columns, key, detail, sorted, empty: empty ?? "There is nothing to show." });
    this.rows = new Map();
    this.body = h("tbody", { role: "rowgroup" });
    this.head = h("tr", { role: "row" }, detail ? h("th", { role: "columnheader", scope: "col" }, h("span", { class: "hidden" }, "More")) : null,
      columns.map((column) => this.header(column)));
    this.caption = h("caption", null, caption);
    this.none = h("p", { class: "note", hidden: true }, this.empty);
    const table = h("table", { role: "table" }, this.caption, h("thead", { role: "rowgroup" }, this.head), this.body);
    this.element = h("div", { class: "scroll" }, this.order(), table, this.none);
  }

  header(column) {
    const inside = column.sort && this.sorted
      ? h("button", { type: "button", onclick: () => this.turn(column) }, column.label, h("span", { class: "arrow", "aria-hidden": "true" }))
      : column.label;
    return h("th", { role: "columnheader", scope: "col", class: column.numeric ? "n" : null, "data-id": column.id }, inside);
  }

  /** The order as a list, where there is no room for a head. */
  order() {
    if (!this.sorted) return null;
    const options = this.columns.filter((column) => column.sort).map((column) => {
      const value = column.numeric ? `-${column.sort}` : column.sort;
      return h("option", { value }, column.label);
    });
    this.select = h("select", { onchange: () => this.sorted.set(this.select.value) }, h("option", { value: "" }, "as it comes"), options);
    return h("label", { class: "order" }, "Sorted by ", this.select);
  }

  turn(column) {
    const first = column.numeric ? `-${column.sort}` : column.sort;
    const second = column.numeric ? column.sort : `-${column.sort}`;
    const now = this.sorted.get();
    this.sorted.set(now === first ? second : now === second ? "" : first);
  }

  mark() {
    if (!this.sorted) return;
    const now = this.sorted.get() ?? "";
    for (const column of this.columns.filter((one) => one.sort)) {
      const cell = [...this.head.children].find((one) => one.dataset.id === column.id);
      const how = now === column.sort ? "ascending" : now === `-${column.sort}` ? "descending" : "none";
      if (cell.getAttribute("aria-sort") !== how) cell.setAttribute("aria-sort", how);
    }
    if (this.select.value !== now) this.select.value = now;
  }

  update(rows) {
    this.mark();
    const wanted = new Map(rows.map((row) => [this.key(row), row]));
    for (const [key, shown] of this.rows) {
      if (wanted.has(key)) continue;
      shown.element.remove();
      shown.more?.remove();
      this.rows.delete(key);
    }
    let last = null;
    for (const [key, row] of wanted) {
      const shown = this.rows.get(key) ?? this.open(key, row);
      shown.row = row;
      this.columns.forEach((column, at) => put(shown.cells[at], column.cell(row)));
      const next = last ? last.nextElementSibling : this.body.firstElementChild;
      if (shown.element !== next) {
        if (last) last.after(shown.element);
        else this.body.prepend(shown.element);
        if (shown.more) shown.element.after(shown.more);
      }
      last = shown.more ?? shown.element;
    }
    this.none.hidden = rows.length > 0;
  }

  open(key, row) {
    const cells = this.columns.map((column) => h("td", { role: "cell", class: column.numeric ? "n" : null, "data-label": column.label }));
    const shown = { row, cells, more: null };
    const button = this.detail
      ? h("td", { role: "cell", class: "more" }, h("button", { type: "button", "aria-expanded": "false", "aria-label": "More of this row", onclick: (event) => this.toggle(shown, event.currentTarget) }))
      : null;
    shown.element = h("tr", { role: "row" }, button, cells);
    this.rows.set(key, shown);
    return shown;
  }

  async toggle(shown, button) {
    if (shown.more) {
      shown.more.remove();
      shown.more = null;
      button.setAttribute("aria-expanded", "false");
      return;
    }
    button.setAttribute("aria-expanded", "true");
    const cell = h("td", { role: "cell", colspan: this.columns.length + 1 }, h("p", { class: "note" }, "…"));
    shown.more = h("tr", { role: "row", class: "detail" }, cell);
    shown.element.after(shown.more);
    try {
      put(cell, await this.detail(shown.row));
    } catch (error) {
      put(cell, h("p", { class: "note" }, `It cannot be shown: ${error.message}`));
    }
  }
}

/** A box that filters, after a moment without a key. */
export function filter(label, get, set) {
  let waits = 0;
  const input = h("input", {
    type: "search", value: get(), placeholder: "filter", autocomplete: "off", spellcheck: "false", "aria-keyshortcuts": "/",
    oninput: () => {
      clearTimeout(waits);
      waits = setTimeout(() => set(input.value), 200);
    },
  });
  return h("label", { class: "filter" }, h("span", { class: "hidden" }, label), input);
}

/** A choice of a few. */
export function choice(label, options, get, set) {
  const select = h("select", { onchange: () => set(select.value) }, options.map(([value, word]) => h("option", { value }, word)));
  select.value = get() ?? "";
  return h("label", { class: "choice" }, `${label} `, select);
}

/** Which part of the rows is shown, and the way to the others. */
export class Pager {
  constructor(size, set, one, many) {
    Object.assign(this, { size, one, many });
    this.text = h("p", { role: "status" });
    this.back = h("button", { type: "button", onclick: () => set(Math.max(0, this.offset - size)) }, "← Before");
    this.next = h("button", { type: "button", onclick: () => set(this.offset + size) }, "Next →");
    this.element = h("div", { class: "pager" }, this.text, this.back, this.next);
  }

  update({ offset, found, total }) {
    this.offset = offset;
    const last = Math.min(offset + this.size, found);
    const all = found === total ? count(total, this.one, this.many) : `${number(found)} of ${count(total, this.one, this.many)}`;
    put(this.text, found > this.size ? `${number(Math.min(offset + 1, last))}–${number(last)} of ${all}` : all);
    this.back.disabled = offset === 0;
    this.next.disabled = last >= found;
    this.back.hidden = this.next.hidden = found <= this.size && offset === 0;
  }
}
