import type { Keypair } from '../../../core/ejson/keypair.ts';
import { Args, BaseCommand, Flags } from '../../base-command.ts';
import { keydirFlag } from '../../input/ejson-arguments.ts';

export default class EjsonDecrypt extends BaseCommand {
  static override summary = 'print an ejson file with its strings in plaintext';
  static override description =
    "Opens every sealed string with the private key of the file's `_public_key`, found in the key directory or read from standard input.";
  static override examples = [
    '<%= config.bin %> ejson decrypt secrets.ejson',
    {
      description: 'With the private key from elsewhere:',
      command: '<%= config.bin %> ejson decrypt --key-from-stdin -o secrets.json secrets.ejson < private-key',
    },
  ];
  static override args = { file: Args.string({ required: true, ignoreStdin: true, description: 'an ejson file' }) };
  static override flags = {
    keydir: keydirFlag,
    output: Flags.string({
      char: 'o',
      helpValue: 'FILE',
      description: 'write to this file, mode 0600, not to standard output',
    }),
    'key-from-stdin': Flags.boolean({ description: 'read the private key from standard input' }),
  };

  async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(EjsonDecrypt);
    const { readFile } = await import('node:fs/promises');
    const { readEjson } = await import('../../../core/ejson/document.ts');
    const { decryptEjson } = await import('../../../core/ejson/decrypter.ts');
    const { writePlaintext } = await import('../../render/plaintext-output.ts');
    const document = readEjson(await readFile(args.file), args.file, { multiline: false });
    const keypair = flags['key-from-stdin']
      ? await keypairFromStdin()
      : await keypairFrom(flags.keydir, document.publicKey);
    try {
      const plaintext = decryptEjson(document, keypair);
      try {
        await writePlaintext(plaintext, flags.output);
      } finally {
        plaintext.fill(0);
      }
    } finally {
      keypair.wipe();
    }
    return { file: args.file, output: flags.output ?? null };
  }

  /** The decrypted document is JSON already, and is all that standard output gets. */
  override logJson(result: Record<string, unknown>): void {
    if (result.output !== null) super.logJson(result);
  }
}

async function keypairFrom(directory: string, publicKey: Buffer): Promise<Keypair> {
  const { readKeypair } = await import('../../../core/ejson/key-directory.ts');
  return readKeypair(directory, publicKey);
}

async function keypairFromStdin(): Promise<Keypair> {
  const { parsePrivateKey } = await import('../../../core/ejson/key-directory.ts');
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks);
  try {
    return parsePrivateKey(text);
  } finally {
    for (const bytes of [text, ...chunks]) bytes.fill(0);
  }
}
