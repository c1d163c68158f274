import { readFile } from 'node:fs/promises';
import { CofferError } from '../../core/errors.ts';

/** The one line of a webhook's secret, as it is now. Throws CofferError `WEBHOOK_SECRET`. */
export async function readSecret(file: string): Promise<string> {
  const advice =
    'Write the secret that the forge has for this webhook into it, as one line; it is read at every delivery.';
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new CofferError('WEBHOOK_SECRET', `The webhook's secret ${file} cannot be read.`, {
      advice,
      data: { path: file },
      loop: 'retry',
      cause,
    });
  }
  const line = text.replace(/\r?\n$/, '');
  // Anybody can sign with an empty secret.
  if (line.trim() !== '' && !/[\r\n\0]/.test(line)) return line;
  throw new CofferError('WEBHOOK_SECRET', `The webhook's secret ${file} is not one line.`, {
    advice,
    data: { path: file },
    loop: 'retry',
  });
}
