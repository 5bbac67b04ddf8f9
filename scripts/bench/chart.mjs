// Bars of a table's medians as an SVG, one panel for each column, readable in light and dark.
import { figure, median } from './table.mjs';

const width = 760;
const labelWidth = 250;
const valueWidth = 130;
const barHeight = 16;
const rowHeight = 22;
const panelHead = 30;

const style = `
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: 600 }
  .panel { font-weight: 600 }
  .value { fill: #57606a }
  .bar { fill: #8c959f }
  .ours { fill: #0969da }
  .floor { fill: #d0d7de }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .value { fill: #9198a1 }
    .bar { fill: #656c76 }
    .ours { fill: #4493f8 }
    .floor { fill: #3d444d }
  }`;

export function chart(table) {
  const parts = [];
  let y = 28;
  parts.push(text(0, y - 8, `${table.title} (${table.unit}, less is better)`, 'title'));
  for (const column of table.columns) {
    const rows = table.rows.filter((row) => table.of(row, column.key));
    if (rows.length === 0) continue;
    const most = Math.max(...rows.map((row) => median(table.of(row, column.key))));
    parts.push(text(0, y + 20, column.label, 'panel'));
    y += panelHead;
    for (const row of rows) {
      const value = median(table.of(row, column.key));
      const length = most === 0 ? 0 : Math.max(1, (value / most) * (width - labelWidth - valueWidth));
      const kind = row === column.base ? 'floor' : row.startsWith('daemonry') ? 'ours' : 'bar';
      const ratio = table.ratio(row, column.key);
      parts.push(
        text(labelWidth - 8, y + 13, row, '', 'end'),
        `<rect class="${kind}" x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="2"/>`,
        text(labelWidth + length + 6, y + 13, `${figure(value)}${ratio === undefined ? '' : `  ${ratio.toFixed(2)} ×`}`, 'value'),
      );
      y += rowHeight;
    }
    y += 8;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}" role="img" aria-label="${escaped(table.title)}">
<style>${style}
</style>
${parts.join('\n')}
</svg>
`;
}

function text(x, y, content, kind, anchor) {
  return `<text x="${x.toFixed(1)}" y="${y}"${kind ? ` class="${kind}"` : ''}${anchor ? ` text-anchor="${anchor}"` : ''}>${escaped(content)}</text>`;
}

function escaped(content) {
  return content.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
