#!/usr/bin/env node
// What an MCP client starts: a process for each client, and nothing in it but the way to the one daemon.
import { notesDaemon } from './daemon.js';
import { Front } from './front.js';

await new Front(notesDaemon()).start();
