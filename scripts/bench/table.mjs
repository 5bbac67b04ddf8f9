// What a bench measures: samples by row and column, of which medians, spreads and ratios are made.

export const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];

/** The row of `promises.cjs`: what no program can leave out that promises what daemonry does. */
export const promises = 'the promises alone';

/** Three digits that mean something. */
export const figure = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

export class Table {
  /** By row, by column. */
  samples = new Map();

  /**
   * `columns`: `{ key, label, base }`, where `base` is the row that the others of this column are told as so many times of.
   * `aims`: `{ row, column, atMost }`, a ratio to that base, or, with `unit`, a value.
   */
  constructor({ id, title, about, unit, columns, aims = [] }) {
    Object.assign(this, { id, title, about, unit, columns, aims });
  }

  add(row, column, ...values) {
    const byColumn = this.samples.get(row) ?? new Map();
    this.samples.set(row, byColumn);
    byColumn.set(column, [...(byColumn.get(column) ?? []), ...values]);
  }

  /** After the rounds that warm up. */
  clear() {
    this.samples.clear();
  }

  get rows() {
    return [...this.samples.keys()];
  }

  of(row, column) {
    return this.samples.get(row)?.get(column);
  }

  /** `by`: what of the samples is compared. Of the smallest ones, where a machine does other work: it can only make more of them. */
  ratio(row, column, by = median) {
    const { base } = this.columns.find(({ key }) => key === column);
    const [list, floor] = [this.of(row, column), this.of(base, column)];
    return list && floor && row !== base ? by(list) / by(floor) : undefined;
  }

  markdown() {
    const cell = (row, { key }) => {
      const list = this.of(row, key);
      if (!list) return '';
      const spread = list.length > 1 ? ` (${figure(Math.min(...list))}–${figure(Math.max(...list))})` : '';
      const ratio = this.ratio(row, key);
      return `${figure(median(list))}${spread}${ratio === undefined ? '' : ` = ${ratio.toFixed(2)} ×`}`;
    };
    const bases = [...new Set(this.columns.map(({ base }) => base).filter(Boolean))];
    return [
      `## ${this.title}`,
      '',
      `${this.about} Medians in ${this.unit}, smallest and largest in brackets${bases.length > 0 ? `, × ${bases.join(' or ')}` : ''}.`,
      '',
      `| | ${this.columns.map(({ label }) => label).join(' | ')} |`,
      `|---|${this.columns.map(() => '---').join('|')}|`,
      ...this.rows.map((row) => `| ${row} | ${this.columns.map((column) => cell(row, column)).join(' | ')} |`),
      '',
    ];
  }

  /** What was aimed at, and what came of it. */
  verdicts() {
    return this.aims.flatMap(({ row, column, atMost, unit }) => {
      const list = this.of(row, column);
      const measured = unit ? list && median(list) : this.ratio(row, column);
      if (measured === undefined) return [];
      const { label, base } = this.columns.find(({ key }) => key === column);
      const shown = unit ? `${figure(measured)} ${unit}` : `${measured.toFixed(2)} ×`;
      const aim = unit ? `≤ ${atMost} ${unit}` : `≤ ${atMost} × ${base}`;
      const smallest = (list) => Math.min(...list);
      const atBest = unit ? `${figure(smallest(this.of(row, column)))} ${unit}` : `${this.ratio(row, column, smallest).toFixed(2)} ×`;
      const least = this.ratio(promises, column);
      const floor = unit || least === undefined ? '' : `${least.toFixed(2)} ×`;
      return [{ what: `${this.title}: ${label}, ${row}`, aim, shown, atBest, floor, met: measured <= atMost }];
    });
  }

  toJSON() {
    const samples = Object.fromEntries([...this.samples].map(([row, byColumn]) => [row, Object.fromEntries(byColumn)]));
    const { id, title, about, unit, columns, aims } = this;
    return { id, title, about, unit, columns, aims, verdicts: this.verdicts(), samples };
  }
}
