import type { ProcessInspector } from './ports.js';

/** An inspector with some of its methods replaced. */
export function withOwn(inspector: ProcessInspector, own: Partial<ProcessInspector>): ProcessInspector {
  return new Proxy(inspector, {
    get(target, name) {
      const bearer = name in own ? own : target;
      const part = Reflect.get(bearer, name);
      return typeof part === 'function' ? part.bind(bearer) : part;
    },
  });
}
