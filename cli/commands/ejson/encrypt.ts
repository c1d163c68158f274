import { Args, BaseCommand } from '../../base-command.ts';
import { keydirFlag } from '../../input/ejson-arguments.ts';

export default class EjsonEncrypt extends BaseCommand {
  static override summary = 'seal the plaintext strings of ejson files, in place';
  static override description =
    'Seals every string that is not sealed yet to the `_public_key` of its file and leaves every other byte as it is. Keys that begin with "_" keep their strings in plaintext. Needs no private key.';
  static override examples = ['<%= config.bin %> ejson encrypt secrets.ejson', '<%= config.bin %> ejson e *.ejson'];
  static override strict = false;
  static override args = {
    file: Args.string({ required: true, ignoreStdin: true, description: 'one or more ejson files' }),
  };
  static override flags = { keydir: keydirFlag };

  async run(): Promise<Record<string, unknown>> {
    const { argv } = await this.parse(EjsonEncrypt);
    const { readFile } = await import('node:fs/promises');
    const { writeFileAtomically } = await import('../../../core/files/atomic.ts');
    const { encryptEjson } = await import('../../../core/ejson/encrypter.ts');
    const files: { file: string; sealed: number }[] = [];
    for (const file of argv as string[]) {
      const plaintext = await readFile(file);
      try {
        const { text, sealed } = encryptEjson(plaintext, file);
        const bytes = Buffer.from(text);
        if (!bytes.equals(plaintext)) await writeFileAtomically(file, bytes);
        this.say(`Wrote ${bytes.length} bytes to ${file}.`);
        files.push({ file, sealed });
      } finally {
        plaintext.fill(0);
      }
    }
    return { files };
  }
}
