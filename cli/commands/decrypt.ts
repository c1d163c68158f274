import { Args, asFlag, BaseCommand, Flags, keyDirectoryFlag } from '../base-command.ts';

export default class Decrypt extends BaseCommand {
  static override summary = 'print a file with all its values in plaintext, with a secret key';
  static override description =
    `The document as it is, with plaintext in place of sealed text and without the stanzas. \`coffer encrypt\` seals it again.

With -o it goes to a file that only you can read. Keep that out of the repository; \`coffer edit\` needs no such file.`;
  static override examples = [
    'coffer decrypt payments/payments-db.yaml',
    {
      description: 'To a file in memory:',
      command: 'coffer decrypt payments/payments-db.yaml -o /dev/shm/payments-db.yaml',
    },
  ];
  static override args = { file: Args.string({ required: true, ignoreStdin: true, description: 'the manifest' }) };
  static override flags = {
    output: Flags.string({ char: 'o', description: 'write to this file, mode 0600', helpValue: 'OUT' }),
    force: Flags.boolean({ description: 'replace OUT if it is there', dependsOn: ['output'] }),
    'key-dir': keyDirectoryFlag,
    as: asFlag,
  };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(Decrypt);
    const [{ readManifests }, { openKeysFor }, { decryptFile }] = await Promise.all([
      import('../workspace/manifest-file.ts'),
      import('../workspace/open-keys.ts'),
      import('../edit/decrypt-file.ts'),
    ]);
    const file = await readManifests(args.file);
    const keys = await openKeysFor(args.file, flags);
    let bytes: Buffer;
    try {
      bytes = decryptFile(file, keys.opener);
    } finally {
      keys.close();
    }
    try {
      return await this.#deliver(args.file, bytes, flags.output, flags.force);
    } finally {
      bytes.fill(0);
    }
  }

  async #deliver(
    file: string,
    bytes: Buffer,
    output: string | undefined,
    force: boolean,
  ): Promise<Record<string, unknown>> {
    const { isInRepository, writePrivateFile } = await import('../edit/decrypt-file.ts');
    if (output === undefined) {
      const { writePlaintext } = await import('../render/plaintext-output.ts');
      if (!this.jsonEnabled()) await writePlaintext(bytes, undefined);
      return { file, ...(this.jsonEnabled() ? { text: bytes.toString('utf8') } : {}) };
    }
    await writePrivateFile(output, bytes, force);
    if (await isInRepository(output)) {
      this.warn(`${output} is inside of a repository, in plaintext: take care that it is not committed`);
    }
    this.note(`wrote ${output} (mode 0600)`);
    return { file, output };
  }
}
