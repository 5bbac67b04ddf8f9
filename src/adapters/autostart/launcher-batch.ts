import type { LauncherTarget } from './launcher-script.js';
import { oldestNode } from './launcher-script.js';

/** The launcher for Windows; see `launcherScript`. The last line is the only one that a service lives in. */
export function launcherBatch({ home, node, program }: LauncherTarget): string {
  const fits = `const [a,b]=process.versions.node.split('.').map(Number);process.exit(a>${oldestNode.major}||a===${oldestNode.major}&&b>=${oldestNode.minor}?0:1)`;
  return [
    '@echo off',
    'rem Written by daemonry: autostart enable and doctor --fix write it anew. It finds Node and daemonry where they are by now.',
    'setlocal EnableExtensions DisableDelayedExpansion',
    // The paths below are written in UTF-8.
    'chcp 65001 >nul 2>nul',
    `set "HOME_OF_DAEMONS=${batchText(home)}"`,
    `set "NODE=${batchText(node)}"`,
    `set "PROGRAM=${batchText(program)}"`,
    'if exist "%NODE%" goto program',
    'for %%I in ("%NVM_SYMLINK%\\node.exe" "%ProgramFiles%\\nodejs\\node.exe" "%LOCALAPPDATA%\\Volta\\bin\\node.exe") do (',
    `  if exist "%%~I" "%%~I" -e "${fits}" >nul 2>nul && set "NODE=%%~I" && goto program`,
    ')',
    `for /f "delims=" %%I in ('where node 2^>nul') do set "NODE=%%I" & goto program`,
    `echo daemonry: no Node of ${oldestNode.major}.${oldestNode.minor} or later is found; it was %NODE% 1>&2`,
    'exit /b 127',
    ':program',
    'if exist "%PROGRAM%" goto run',
    'for %%I in ("%APPDATA%\\npm\\node_modules\\daemonry" "%ProgramFiles%\\nodejs\\node_modules\\daemonry") do (',
    '  if exist "%%~I\\dist\\service.js" set "PROGRAM=%%~I\\dist\\service.js" && goto run',
    ')',
    'echo daemonry: daemonry is not found any more; it was %PROGRAM% 1>&2',
    'exit /b 127',
    ':run',
    '"%NODE%" --max-semi-space-size=1 -- "%PROGRAM%" "%HOME_OF_DAEMONS%" %*',
    'exit /b %ERRORLEVEL%',
    '',
  ].join('\r\n');
}

/** Within quotes a batch file takes all but signs of percent as they are. */
function batchText(text: string): string {
  return text.replaceAll('%', '%%');
}
