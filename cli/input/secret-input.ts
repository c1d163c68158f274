import { readFile } from 'node:fs/promises';
import { CofferError } from '../../core/errors.ts';
import { LIMITS } from '../../schemas/grammar.ts';
import { askHidden, canAsk } from './prompt.ts';

/**
 * A secret value as bytes, which the caller wipes: from `file` (`-` is standard input), else at a hidden prompt where
 * there is a terminal, else from standard input, where no byte is added or dropped.
 */
export async function readSecret(prompt: string, file?: string): Promise<Buffer> {
  if (file !== undefined && file !== '-') return readFile(file);
  if (file === undefined && canAsk()) return askTwice(prompt);
  if (process.stdin.isTTY) {
    throw new CofferError('INPUT_NONE', 'there is nowhere to ask for the value: standard error is not a terminal', {
      advice: 'Give the value by standard input, or name a file with --from-file.',
      exit: 2,
    });
  }
  return readStandardInput();
}

/** All of standard input. Throws INPUT_TOO_LARGE beyond what a document may hold. */
export async function readStandardInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > LIMITS.documentBytes) {
        throw new CofferError(
          'INPUT_TOO_LARGE',
          'the input is larger than 1 MiB, which is more than a manifest may hold',
          { advice: 'Give a smaller value.' },
        );
      }
    }
    return Buffer.concat(chunks);
  } finally {
    for (const chunk of chunks) chunk.fill(0);
  }
}

/** A typing error would show only where the secret is used, so it is typed twice. */
async function askTwice(prompt: string): Promise<Buffer> {
  const first = await askHidden(`${prompt} (not shown): `);
  const second = await askHidden('Once more: ');
  try {
    if (first.equals(second)) return first;
  } finally {
    second.fill(0);
  }
  first.fill(0);
  throw new CofferError('INPUT_DIFFERS', 'the two values that you typed differ; nothing was changed', {
    advice: 'Run it again.',
  });
}
