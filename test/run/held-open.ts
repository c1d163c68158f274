/** A test file whose tests are over while a server of it listens, and a program that has its output runs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

// The runner imports it too.
if (process.env.NODE_TEST_CONTEXT) {
  spawn('sleep', ['1000'], { stdio: 'inherit' });
  await once(createServer().listen(0, '127.0.0.1'), 'listening');
}
