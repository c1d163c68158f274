import { spawn } from 'node:child_process';
import { CofferError } from '../../core/errors.ts';
import { withCleanup, withoutInterrupts } from '../signals.ts';

/**
 * Opens a file in $VISUAL, else $EDITOR, else vi, and resolves when the editor has ended with exit code 0. Throws
 * EDITOR_FAILED.
 *
 * Ctrl-C belongs to the editor while it runs, as with git: several editors use it as a key.
 */
export async function openEditor(file: string): Promise<void> {
  const command = process.env.VISUAL || process.env.EDITOR || 'vi';
  // By the shell, because the variable may hold arguments ("code --wait"); the file's name is an argument of its own.
  const editor = spawn('/bin/sh', ['-c', `${command} "$@"`, command, file], { stdio: 'inherit' });
  const ended = new Promise<number | null>((resolve, reject) => {
    editor.once('error', reject);
    editor.once('exit', resolve);
  });
  const code = await withCleanup(
    () => editor.kill(),
    () => withoutInterrupts(() => ended),
  );
  if (code === 0) return;
  throw new CofferError('EDITOR_FAILED', 'the editor failed; nothing was changed', {
    advice:
      'Set EDITOR to an editor that runs here (an editor in a window needs a flag to wait, such as `code --wait`).',
  });
}
