/** The answer of `sysctl -n kern.bootsessionuuid`. */
export function parseBootSession(text: string): string | undefined {
  return uuidIn(text.trim());
}

/** The machine's own id in the answer of `ioreg -rd1 -c IOPlatformExpertDevice`. */
export function parsePlatformUuid(text: string): string | undefined {
  return uuidIn(/"IOPlatformUUID" = "([^"]*)"/.exec(text)?.[1] ?? '');
}

/** None at all, or zeros alone, as kernels without one have it, would make all boots or machines one. */
function uuidIn(text: string): string | undefined {
  const isUuid = /^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/i.test(text);
  return isUuid && /[^0-]/.test(text) ? text : undefined;
}
