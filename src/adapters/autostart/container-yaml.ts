import { stringify } from 'yaml';

/** All texts in quotes: `no`, `on` and `1_000` are something else to readers of the older YAML, as Compose and Kubernetes use them. */
export function containerYaml(data: unknown): string {
  return stringify(data, { lineWidth: 0, aliasDuplicateObjects: false, defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' });
}
