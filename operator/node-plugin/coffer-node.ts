#!/usr/bin/env node
// The program's entry: nothing else is loaded by a node that is too old for it.
import { oldNode } from '../../core/node-version.ts';

const refusal = oldNode('coffer-node');
if (refusal === undefined) {
  await import('./main.ts');
} else {
  console.error(refusal);
  process.exitCode = 3;
}
