import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const WHO = 'Bench <bench@example.org>';
/** Any day, so that each run makes the same history. */
const BEGAN = 1_700_000_000;

/**
 * Puts so many commits upon HEAD (`git fast-import`: a minute of `git commit` would make some thousand), each of which changes
 * one of the files, in turn, by a comment at its end; packs the repository as a server has it.
 */
export function importHistory(repository: string, files: readonly string[], commits: number): void {
  const contents = files.map((file) => readFileSync(join(repository, file), 'utf8'));
  const parts: string[] = ['reset refs/heads/main\nfrom refs/heads/main^0\n\n'];
  for (let number = 0; number < commits; number++) {
    const index = (number * 7919) % files.length;
    const content = `${contents[index]}# Reviewed ${number}\n`;
    const message = `Review ${files[index]}`;
    parts.push(
      `commit refs/heads/main\ncommitter ${WHO} ${BEGAN + number} +0000\n`,
      `data ${Buffer.byteLength(message)}\n${message}\n`,
      `M 100644 inline ${files[index]}\ndata ${Buffer.byteLength(content)}\n${content}\n`,
    );
  }
  git(repository, ['fast-import', '--quiet', '--force'], parts.join(''));
  git(repository, ['reset', '-q', '--hard']);
  git(repository, ['repack', '-adfq']);
}

function git(repository: string, args: string[], input = ''): void {
  const { status, stderr } = spawnSync('git', ['-C', repository, ...args], {
    input,
    maxBuffer: 1 << 28,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`git ${args[0]} failed (${status}): ${stderr}`);
}
