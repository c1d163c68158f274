import { CofferError } from '../../core/errors.ts';
import type { Manifest } from '../../core/format/manifest/manifest.ts';
import { Args, asFlag, BaseCommand, Flags, keyDirectoryFlag } from '../base-command.ts';
import { documentFlag } from '../input/select-document.ts';
import { contextFlag, kubeconfigFlag, operatorNamespaceFlag } from '../kubernetes/flags.ts';
import type { OpenerFlags } from '../workspace/open-keys.ts';

interface ViaFlags {
  via?: string | undefined;
  reason?: string | undefined;
  kubeconfig?: string | undefined;
  context?: string | undefined;
  namespace: string;
  url: string;
  'token-file'?: string | undefined;
}

export default class Get extends BaseCommand {
  static override summary = 'print one value, with a secret key or by an operator';
  static override description =
    `Writes the bytes of the value to standard output, exactly. An entry of the template is rendered.

With a key of your own nothing records that you read it: who may hold keys is decided when they are given out.

In an emergency --via has the operator of a cluster open it for you, if you have the right \`break-glass\` there. It opens what
it projects, not what your file says, and its log names you and your --reason before you get the value.`;
  static override examples = [
    'coffer get payments/payments-db.yaml password',
    {
      description: 'With the keys in another folder:',
      command: 'coffer get payments/payments-db.yaml password --key-dir ./production-keys',
    },
    {
      description: 'In an emergency, through a `kubectl -n coffer-system port-forward svc/coffer-operator 8790`:',
      command:
        'coffer get payments/payments-db.yaml password --via production --reason "INC-42: the database rejects the password"',
    },
  ];
  static override args = {
    file: Args.string({ required: true, ignoreStdin: true, description: 'the manifest' }),
    entry: Args.string({ required: true, ignoreStdin: true, description: 'the entry' }),
  };
  static override flags = {
    'key-dir': keyDirectoryFlag,
    as: asFlag,
    document: documentFlag,
    via: Flags.string({
      description: 'let the operator of this cluster open it; it keeps a record',
      helpValue: 'CLUSTER',
      dependsOn: ['reason'],
      exclusive: ['key-dir', 'as'],
    }),
    reason: Flags.string({
      description: 'why, for the record: 3 to 500 characters',
      helpValue: 'TEXT',
      dependsOn: ['via'],
    }),
    kubeconfig: { ...kubeconfigFlag, dependsOn: ['via'] },
    context: { ...contextFlag, description: 'which context of the kubeconfig (default: CLUSTER)', dependsOn: ['via'] },
    namespace: operatorNamespaceFlag,
    url: Flags.string({
      description: 'where the operator is reached',
      helpValue: 'URL',
      default: 'https://127.0.0.1:8790',
    }),
    'token-file': Flags.string({
      description: 'a bearer token (default: the kubeconfig’s)',
      helpValue: 'FILE',
      dependsOn: ['via'],
    }),
  };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(Get);
    const [{ readManifests }, { manifestOf }, { writePlaintext }] = await Promise.all([
      import('../workspace/manifest-file.ts'),
      import('../input/select-document.ts'),
      import('../render/plaintext-output.ts'),
    ]);
    const { manifest } = manifestOf(await readManifests(args.file), flags.document);
    const value = await (flags.via === undefined
      ? this.#open(manifest, args, flags)
      : this.#ask(manifest, args.entry, flags));
    try {
      if (!this.jsonEnabled()) await writePlaintext(value, undefined);
      const base64 = this.jsonEnabled() ? value.toString('base64') : undefined;
      return { file: args.file, manifest: `${manifest.namespace}/${manifest.name}`, entry: args.entry, base64 };
    } finally {
      value.fill(0);
    }
  }

  async #open(
    manifest: Manifest,
    { file, entry }: { file: string; entry: string },
    flags: OpenerFlags,
  ): Promise<Buffer> {
    const { openKeysFor } = await import('../workspace/open-keys.ts');
    const { openManifest } = await import('../../core/opening/open-manifest.ts');
    const keys = await openKeysFor(file, flags);
    try {
      return openManifest(manifest, keys.opener, [entry]).values.get(entry) ?? Buffer.alloc(0);
    } finally {
      keys.close();
    }
  }

  async #ask({ namespace, name }: Manifest, entry: string, flags: ViaFlags): Promise<Buffer> {
    const { via = '', reason = '', kubeconfig, context = via, namespace: operatorNamespace, url } = flags;
    if (!/^[^\p{Cc}]{3,500}$/u.test(reason)) {
      throw new CofferError('BREAK_GLASS_REASON', 'the reason is one line of 3 to 500 characters', {
        advice: 'Say why you need the value, with the number of the incident; the record keeps it.',
        exit: 2,
      });
    }
    const { breakGlass } = await import('../kubernetes/break-glass.ts');
    const where = { kubeconfig, context, operatorNamespace, url, tokenFile: flags['token-file'] };
    return await breakGlass({ cluster: via, ...where, namespace, name, entry, reason });
  }
}
