// biome-ignore lint/suspicious/noExplicitAny: a JSON Schema is whatever it is.
type Schema = any;

const intro = `# The project file

\`daemonry.yaml\`, \`daemonry.yml\` or \`daemonry.json\`, found from the working folder upwards, or named with \`--file\`. Its
[JSON Schema](../schema/daemonry.schema.json) is in the package as \`daemonry/schema.json\`; for editors, the first line of a YAML file:

\`\`\`yaml
# yaml-language-server: $schema=./node_modules/daemonry/schema/daemonry.schema.json
\`\`\`

Relative paths count from the folder of the file. Durations read \`500ms\`, \`10s\`, \`5m\`; sizes \`64KB\`, \`10MB\`. \`defaults\` takes the keys
marked *d*; what a daemon says goes over them, mappings key by key. YAML anchors and merge keys (\`<<\`) work. \`npm run schema\` writes this page.

| key | | what | usual |
|---|---|---|---|
`;

/** The page about a project file's keys, made from its schema. */
export function keyTable(schema: Schema): string {
  const { properties } = schema;
  const entry = properties.daemons.additionalProperties;
  const shared = new Set(Object.keys(properties.defaults.properties));
  const top = ['project', 'defaults', 'daemons'].map((key) => row(key, '', properties[key]));
  const keys = Object.entries<Schema>(entry.properties).flatMap(([key, about]) => [
    row(`daemons.*.${key}`, shared.has(key) ? '*d*' : '', about),
    ...Object.entries<Schema>(partsOf(about)).map(([part, of]) => row(`daemons.*.${key}.${part}`, '', of)),
  ]);
  return `${intro}${[...top, ...keys].join('\n')}\n`;
}

function partsOf(about: Schema): Record<string, Schema> {
  return about.properties ?? about.anyOf?.find((branch: Schema) => branch.properties)?.properties ?? {};
}

function row(key: string, mark: string, about: Schema): string {
  const usual =
    about.default === undefined ? '' : `\`${typeof about.default === 'string' ? about.default : JSON.stringify(about.default)}\``;
  return `| \`${key}\` | ${mark} | ${(about.description ?? '').replaceAll('|', '\\|')} | ${usual} |`;
}
