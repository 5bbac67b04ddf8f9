// Bundles the command line and the library into dist/, and writes the declarations and the licences of what is bundled.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Modules that most uses of the command line never need: each is a file of its own, read when it is wanted. */
const onDemand = [
  'run-verb',
  'more-verbs',
  'project-verbs',
  'autostart-verbs',
  'service-channel',
  'service-findings',
  'full-syntax',
  'spec-codec',
  'rpc-peer',
  'spinner',
];

const splitOnDemand = {
  name: 'split-on-demand',
  setup({ onResolve }) {
    onResolve({ filter: /./ }, ({ path, kind }) => {
      if (kind !== 'dynamic-import') return undefined;
      const name = onDemand.find((one) => path === one || path.endsWith(`/${one}.js`));
      return name ? { path: `./${name}.cjs`, external: true } : undefined;
    });
  },
};

/** What only Windows needs is a file apart, which nobody else reads: the command line at its first call, the library at once. */
const windowsApart = (contents) => ({
  name: 'windows-apart',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/windows\.js$/ }, () => ({ path: 'windows', namespace: 'apart' }));
    onResolve({ filter: /\.cjs$/, namespace: 'apart' }, ({ path }) => ({ path, external: true }));
    onLoad({ filter: /./, namespace: 'apart' }, () => ({ contents }));
  },
});

const windowsAtFirstCall = (file) =>
  windowsApart(`
  exports.windowsBindings = (tokens) => require('${file}').windowsBindings(tokens);
  exports.windowsShortcomings = () => require('${file}').windowsShortcomings();
`);

const windowsAtOnce = windowsApart(`
  import { createRequire } from 'node:module';
  const windows = process.platform === 'win32' ? createRequire(import.meta.url)('./windows.cjs') : undefined;
  export const windowsBindings = (tokens) => windows.windowsBindings(tokens);
`);

/** What costs more to load than most verbs take, is loaded by the first call, which many a verb never comes to. */
const builtinsAtFirstCall = {
  name: 'builtins-at-first-call',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:child_process$/ }, ({ path, namespace }) =>
      namespace === 'late' ? { path, external: true } : { path, namespace: 'late' },
    );
    onLoad({ filter: /./, namespace: 'late' }, ({ path }) => ({
      contents: ['execFile', 'execFileSync', 'fork', 'spawn', 'spawnSync']
        .map((name) => `exports.${name} = (...args) => require(${JSON.stringify(path)}).${name}(...args);`)
        .join('\n'),
    }));
  },
};

/** Makes what is imported on demand a part of the bundle that is there from the beginning: one module, or all of them. */
const importAtOnce = (which = /await import\(('\.[^']*')\)/g) => ({
  name: 'import-at-once',
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
      const imports = [];
      const code = readFileSync(path, 'utf8').replace(which, (_, file) => {
        const name = `importedAtOnce${imports.length}`;
        imports.push(`import * as ${name} from ${file};`);
        return name;
      });
      return { contents: imports.concat(code).join('\n'), loader: 'ts' };
    });
  },
});

/** Which a CommonJS file has at hand. */
const requireAtHand = {
  name: 'require-at-hand',
  setup({ onLoad }) {
    onLoad({ filter: /\/require-here\.ts$/ }, () => ({ contents: 'export const requireHere = () => require;' }));
  },
};

/** CommonJS starts 3 to 9 ms sooner than ES modules do, on every Node. */
const commonJs = {
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  // import() of a CommonJS file would load the whole ES module loader first.
  supported: { 'dynamic-import': false },
  minify: true,
};

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  metafile: true,
  legalComments: 'none',
  logLevel: 'warning',
  define: { DAEMONRY_VERSION: JSON.stringify(version), DAEMONRY_BUILD: JSON.stringify(buildId()) },
};

const commandLine = {
  ...common,
  ...commonJs,
  outdir: 'dist/cli',
  entryPoints: {
    entry: 'src/app/cli/entry.ts',
    'load-acting': 'src/app/cli/load-acting.ts',
    'run-verb': 'src/app/cli/run-verb.ts',
    'more-verbs': 'src/app/cli/more-verbs.ts',
    'project-verbs': 'src/app/cli/project-verbs.ts',
    'autostart-verbs': 'src/app/cli/autostart-verbs.ts',
    'service-channel': 'src/app/autostart/service-channel.ts',
    'service-findings': 'src/app/doctor/service-findings.ts',
    'full-syntax': 'src/app/cli/full-syntax.ts',
    'spec-codec': 'src/adapters/files/spec-codec.ts',
    spinner: 'src/app/cli/spinner.ts',
    'rpc-peer': 'src/adapters/net/rpc-peer.ts',
  },
  define: { ...common.define, 'import.meta.url': '""' },
  alias: { clipanion: 'clipanion/lib/advanced/index.mjs' },
  plugins: [requireAtHand, splitOnDemand, windowsAtFirstCall('../windows.cjs'), builtinsAtFirstCall],
};

/** The same entry with the verbs that act in the same file, whose compiled code is kept: see ADR 21. */
const acting = {
  ...commandLine,
  entryPoints: { acting: 'src/app/cli/entry.ts' },
  plugins: [...commandLine.plugins, importAtOnce(/await import\(('\.\/run-verb\.js')\)/g)],
};

const windows = {
  ...common,
  ...commonJs,
  outdir: 'dist',
  entryPoints: { windows: 'src/app/composition/windows.ts' },
  plugins: [requireAtHand],
};

/** It stays, so what it takes is as small as can be: CommonJS, and nothing that it does not need. */
const supervisor = {
  ...common,
  ...commonJs,
  outdir: 'dist',
  entryPoints: { supervisor: 'src/app/supervise/program.ts' },
  define: { ...common.define, 'import.meta.url': '""' },
  // A program that runs for long may have been upgraded on disk by the time it wants more.
  plugins: [requireAtHand, importAtOnce(), windowsAtFirstCall('./windows.cjs')],
};

const library = {
  ...common,
  format: 'esm',
  outdir: 'dist',
  splitting: true,
  // Beside the entries: what is required by a relative path is required from a chunk too.
  chunkNames: '[name]-[hash]',
  // As above.
  plugins: [importAtOnce(), windowsAtOnce],
  // The host's own: its `Cli` knows no commands of another copy.
  external: ['clipanion'],
  entryPoints: {
    index: 'src/app/embed/index.ts',
    serve: 'src/app/serve/index.ts',
    clipanion: 'src/app/clipanion/index.ts',
    testing: 'src/app/testing/index.ts',
    service: 'src/app/autostart/service-program.ts',
  },
  // Bundled CommonJS packages ask for node's own modules through require.
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
};

rmSync(join(root, 'dist'), { recursive: true, force: true });
const results = await Promise.all([build(commandLine), build(acting), build(windows), build(supervisor), build(library)]);
writeFileSync(join(root, 'dist', 'THIRD-PARTY-LICENSES'), licencesOf(results));
execFileSync(process.execPath, [join(root, 'node_modules', 'typescript-7', 'bin', 'tsc'), '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});

/** Of all that the bundles are made of: what was compiled of another build is never taken for this one's. */
function buildId() {
  const hash = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(readFileSync(fileURLToPath(import.meta.url)));
  for (const file of readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(root, 'src', file);
    if (statSync(path).isFile()) hash.update(file).update(readFileSync(path));
  }
  return hash.digest('hex').slice(0, 12);
}

function licencesOf(built) {
  const inputs = built.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  const packages = new Set(inputs.flatMap((input) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? []));
  return [...packages].sort().map(licenceOf).join('\n');
}

function licenceOf(name) {
  const folder = join(root, 'node_modules', name);
  const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license', 'license.md', 'License.md']
    .map((one) => join(folder, one))
    .find(existsSync);
  return `${name} ${about.version} (${about.license})\n\n${file ? readFileSync(file, 'utf8').trim() : ''}\n\n${'-'.repeat(80)}\n`;
}
