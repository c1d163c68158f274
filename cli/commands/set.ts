import { CofferError } from '../../core/errors.ts';
import { Args, BaseCommand, Flags } from '../base-command.ts';
import { documentFlag } from '../input/select-document.ts';
import { isUnexpectedArgument } from '../usage-errors.ts';

export default class SetEntry extends BaseCommand {
  static override summary = 'seal one value into a manifest; needs no secret key';
  static override description =
    `The value comes from standard input as it is (no byte is added or taken away), from a file, or is typed at a
hidden prompt. It is never an argument: arguments end up in shell histories and process lists.

Only the line of the value and the stanzas of its data key change. The value is sealed to every recipient that the
manifest lists.`;
  static override examples = [
    { description: 'Type it, unseen:', command: 'coffer set payments/payments-db.yaml password' },
    {
      description: 'From another program:',
      command: 'printf %s "$PASSWORD" | coffer set payments/payments-db.yaml password',
    },
    {
      description: 'Make one that nobody ever sees:',
      command: 'coffer set payments/payments-db.yaml password --generate password:40',
    },
    { description: 'From a file:', command: 'coffer set payments/payments-db.yaml ca.crt --from-file ca.crt' },
  ];
  static override args = {
    file: Args.string({ required: true, ignoreStdin: true, description: 'the manifest' }),
    entry: Args.string({ required: true, ignoreStdin: true, description: 'the entry; a new one is added' }),
  };
  static override flags = {
    'from-file': Flags.string({
      description: 'read the value from this file',
      helpValue: 'PATH',
      exclusive: ['generate'],
    }),
    generate: Flags.string({
      description:
        'make a random value: password, hex, base64 or uuid; LENGTH counts characters (password) or random bytes',
      helpValue: 'KIND[:LENGTH]',
    }),
    document: documentFlag,
  };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.#parsed();
    const [{ readManifests, writeManifests }, { sealingKeysFor }, { openWorkspaceOf }, { manifestOf }] =
      await Promise.all([
        import('../workspace/manifest-file.ts'),
        import('../workspace/sealing-keys.ts'),
        import('../workspace/workspace.ts'),
        import('../input/select-document.ts'),
      ]);
    const workspace = await openWorkspaceOf(args.file);
    const file = await readManifests(args.file);
    const { manifest, index } = manifestOf(file, flags.document);
    const keys = await sealingKeysFor(workspace, manifest.recipients);

    const value = await this.#value(`Value of ${args.entry}`, flags);
    const added = !manifest.entries.has(args.entry);
    try {
      await this.#check(manifest.type, args.entry, value, args.file);
      const [{ setEntry }, { sodiumReady }] = await Promise.all([
        import('../../core/format/edit/seal.ts'),
        import('../../core/crypto/sodium.ts'),
      ]);
      await sodiumReady();
      await writeManifests(args.file, setEntry(file, index, args.entry, value, keys));
    } finally {
      value.fill(0);
    }
    this.say(
      `${added ? 'added' : 'replaced'} ${this.emphasise(args.entry)} in ${args.file}, sealed to ${manifest.recipients.join(', ')}`,
    );
    return {
      file: args.file,
      manifest: `${manifest.namespace}/${manifest.name}`,
      entry: args.entry,
      added,
      recipients: manifest.recipients,
    };
  }

  /** `set FILE ENTRY VALUE` and `set FILE ENTRY=VALUE` are refused with the reason. */
  async #parsed() {
    try {
      const parsed = await this.parse(SetEntry);
      if (parsed.args.entry.includes('=')) throw valueAsArgument();
      return parsed;
    } catch (error) {
      throw isUnexpectedArgument(error) ? valueAsArgument() : error;
    }
  }

  async #value(
    prompt: string,
    flags: { generate?: string | undefined; 'from-file'?: string | undefined },
  ): Promise<Buffer> {
    if (flags.generate !== undefined) return (await import('../input/generate.ts')).generateValue(flags.generate);
    return (await import('../input/secret-input.ts')).readSecret(prompt, flags['from-file']);
  }

  async #check(type: string, entry: string, value: Buffer, file: string): Promise<void> {
    const [{ valueWarnings }, { checkSecretType }] = await Promise.all([
      import('../input/value-warnings.ts'),
      import('../input/secret-types.ts'),
    ]);
    const warnings = checkSecretType(type, new Map([[entry, value]]), { file });
    for (const warning of [...valueWarnings(entry, value), ...warnings]) this.warn(warning);
  }
}

/** By now the value is in the shell's history. */
function valueAsArgument(): CofferError {
  return new CofferError('INPUT_AS_ARGUMENT', 'a value is never taken from the command line; nothing was changed', {
    advice:
      'What you typed is in your shell history now, and other processes could see it: if it was the secret, make a new one.\n' +
      'Run `coffer set FILE ENTRY` and type the value at the prompt, or give it by standard input or --from-file.',
    exit: 2,
  });
}
