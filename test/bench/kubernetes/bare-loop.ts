/**
 * The least that a client of the API server has to do: `node bare-loop.ts SERVER CA_FILE TOKEN_FILE CHAINS CONCURRENCY`. CHAINS
 * holds, a line each, JSON lists of requests that follow each other; chains run side by side, over one shared undici Agent.
 * Prints milliseconds and CPU milliseconds, the start of the process apart.
 */

import { createReadStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Agent, request } from 'undici';
import type { BareRequest } from './replay.ts';

const [server = '', caFile = '', tokenFile = '', file = '', concurrency = '16'] = process.argv.slice(2);

const chains: { method: 'PATCH' | 'POST'; path: string; contentType: string; body: Buffer }[][] = [];
for await (const line of createInterface(createReadStream(file))) {
  const chain: BareRequest[] = JSON.parse(line);
  chains.push(chain.map((one) => ({ ...one, body: Buffer.from(JSON.stringify(one.body)) })));
}
const dispatcher = new Agent({ connect: { ca: readFileSync(caFile) }, connections: Number(concurrency) });
const authorization = `Bearer ${readFileSync(tokenFile, 'utf8').trim()}`;
const began = { wall: performance.now(), cpu: process.cpuUsage() };
let next = 0;
const worker = async () => {
  for (let chain = chains[next++]; chain !== undefined; chain = chains[next++]) {
    for (const { method, path, contentType, body } of chain) {
      const headers = { authorization, 'content-type': contentType };
      const response = await request(`${server}${path}`, { method, body, headers, dispatcher });
      if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${await response.body.text()}`);
      await response.body.dump();
    }
  }
};
await Promise.all(Array.from({ length: Number(concurrency) }, worker));
const { user, system } = process.cpuUsage(began.cpu);
console.log(JSON.stringify({ wall: performance.now() - began.wall, cpu: (user + system) / 1000 }));
await dispatcher.close();
