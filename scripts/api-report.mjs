// The public surface of every entry, as text: docs/api-report, which changes in review whenever the surface does.
// `npm run api:update` writes it anew; without --update, says what differs and what is not documented, and fails.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CompilerState, Extractor, ExtractorConfig } from '@microsoft/api-extractor';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const kept = join(root, 'docs', 'api-report');
const work = join(root, '.reports', 'api');
const { name, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** From the sources, not from dist: that may be older. */
function emitDeclarations() {
  const types = join(work, 'types');
  const tsc = join(root, 'node_modules', 'typescript-7', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', types], { cwd: root, stdio: 'inherit' });
  // The compiler has said why.
  if (status !== 0) process.exit(1);
  return Object.entries(exports).flatMap(([path, { types: file }]) =>
    file ? [{ entry: basename(path) === '.' ? name : basename(path), file: join(types, file.slice('./dist/types/'.length)) }] : [],
  );
}

/** The reports by the names of the entries. All are made from one program, which takes most of the time. */
function makeReports(entries) {
  const configs = entries.map(({ entry, file }) => configOf(entry, file, entries));
  const [first, ...others] = entries.map(({ file }) => file);
  const compilerState = CompilerState.create(configs[0], { additionalEntryPoints: [first, ...others] });
  return new Map(
    configs.map((config, index) => {
      const messageCallback = (message) => {
        message.handled = true;
        if (message.logLevel === 'error') throw new Error(message.text);
      };
      Extractor.invoke(config, { localBuild: true, compilerState, messageCallback });
      const text = readFileSync(config.reportFilePath, 'utf8').replace(
        '## API Report File for "daemonry"',
        `# ${importOf(entries[index])}`,
      );
      return [entries[index].entry, text];
    }),
  );
}

function configOf(entry, file, entries) {
  const compilerOptions = { module: 'nodenext', target: 'es2023', lib: ['es2023'], types: ['node'], strict: true, skipLibCheck: true };
  return ExtractorConfig.prepare({
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: file,
      newlineKind: 'lf',
      compiler: { overrideTsconfig: { compilerOptions: { ...compilerOptions, rootDir: root }, files: entries.map((one) => one.file) } },
      apiReport: { enabled: true, reportFileName: entry, reportFolder: work, reportTempFolder: join(work, 'temp') },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: { extractorMessageReporting: { 'ae-forgotten-export': { logLevel: 'warning', addToApiReportFile: true } } },
    },
    configObjectFullPath: join(root, 'api-extractor.json'),
    packageJsonFullPath: join(root, 'package.json'),
    packageJson: { name, version: '0.0.0' },
  });
}

function importOf({ entry }) {
  return entry === name ? name : `${name}/${entry}`;
}

/** What must not be: an export without a sentence of what it is, a type that is named and can be imported from nowhere. */
function faultsOf(entry, report, exported) {
  const undocumented = [...report.matchAll(/^\/\/ @public \(undocumented\)\nexport (.*?)[ ;({]*$/gm)];
  const unnamed = [...report.matchAll(/\(ae-forgotten-export\) The symbol "(\w+)"/g)].filter(([, symbol]) => !exported.has(symbol));
  return [
    ...undocumented.map(([, what]) => `${entry}: no comment on ${what}`),
    ...unnamed.map(([, symbol]) => `${entry}: ${symbol} is named, and no entry exports it`),
  ];
}

function exportsOf(report) {
  return [...report.matchAll(/^export (?:abstract )?(?:class|const|function|interface|type) (\w+)/gm)].map(([, symbol]) => symbol);
}

function differenceFrom(entry, report) {
  const file = join(kept, `${entry}.md`);
  if (existsSync(file) && readFileSync(file, 'utf8') === report) return [];
  const { stdout } = spawnSync('diff', ['-u', existsSync(file) ? file : '/dev/null', '-'], { input: report, encoding: 'utf8' });
  return [`${entry}: its surface is not that of docs/api-report/${entry}.md; if it is meant to be, npm run api:update\n${stdout ?? ''}`];
}

rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
const reports = [...makeReports(emitDeclarations())];
const exported = new Set(reports.flatMap(([, report]) => exportsOf(report)));
const faults = reports.flatMap(([entry, report]) => faultsOf(entry, report, exported));
if (process.argv.includes('--update')) {
  mkdirSync(kept, { recursive: true });
  for (const [entry, report] of reports) writeFileSync(join(kept, `${entry}.md`), report);
} else {
  faults.push(...reports.flatMap(([entry, report]) => differenceFrom(entry, report)));
}
if (faults.length > 0) {
  console.error(faults.join('\n'));
  process.exitCode = 1;
}
