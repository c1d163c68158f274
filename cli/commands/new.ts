import { CofferError } from '../../core/errors.ts';
import { Args, BaseCommand, Flags } from '../base-command.ts';

export default class New extends BaseCommand {
  static override summary = 'make a sealed manifest; needs no secret key';
  static override description =
    `Values come from an env file, from files, or from a Kubernetes Secret on standard input; with none of them the manifest is empty, and \`coffer set\` adds to it. The recipients are those of the first rule in .coffer/config.yaml that matches the file, unless you name them.

An env file is read as docker and kubectl read it: NAME=VALUE a line, # begins a comment line, and everything after the first "=" is the value as it stands, quotes and spaces included. A NAME without "=" is refused: coffer takes no value from the environment.

The types tls, dockerconfigjson, dockercfg, basic-auth and ssh-auth may be written without kubernetes.io/; certificates, keys and docker configurations are checked.`;
  static override examples = [
    {
      description: 'From an env file, for one workload:',
      command: 'coffer new payments/payments-db --from-env-file db.env --reader payments-api',
    },
    {
      description: 'A certificate, readable for two workloads:',
      command:
        'coffer new web/tls --type tls --from-file tls.crt=server.crt --from-file tls.key=server.key --reader web --reader proxy',
    },
    {
      description: 'From a Secret in a cluster:',
      command:
        'kubectl get secret -n payments payments-db -o yaml | coffer new payments/payments-db --from-stdin --reader payments-api',
    },
  ];
  static override args = {
    name: Args.string({ required: true, ignoreStdin: true, description: 'NAMESPACE/NAME of the secret' }),
  };
  static override flags = {
    recipient: Flags.string({
      description: 'who can open it; repeat it (default: the rules of .coffer/config.yaml)',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
    }),
    reader: Flags.string({
      description: 'a workload that may read it, or some of its entries; repeat it',
      helpValue: 'WORKLOAD[=ENTRY,…]',
      multiple: true,
      multipleNonGreedy: true,
    }),
    type: Flags.string({ description: 'the type of the Secret', helpValue: 'TYPE' }),
    'from-env-file': Flags.string({ description: 'entries from an env file', helpValue: 'FILE' }),
    'from-file': Flags.string({
      description: 'an entry from a file; repeat it',
      helpValue: 'ENTRY=PATH',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'from-stdin': Flags.boolean({
      description: 'entries and type from a Kubernetes Secret, YAML or JSON, on standard input',
    }),
    output: Flags.string({
      char: 'o',
      description:
        'the file to make, - for standard output (default: NAMESPACE/NAME.yaml at the root of the repository)',
      helpValue: 'FILE',
    }),
  };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(New);
    const [namespace, name] = splitName(args.name);
    const [{ openWorkspace }, { collectEntries }, { makeManifest }] = await Promise.all([
      import('../workspace/workspace.ts'),
      import('../input/collect-entries.ts'),
      import('../seal/make-manifest.ts'),
    ]);
    const workspace = await openWorkspace();
    const collected = await collectEntries({
      envFile: flags['from-env-file'],
      files: flags['from-file'] ?? [],
      kubernetesSecret: flags['from-stdin'],
    });
    try {
      for (const warning of collected.warnings(namespace, name)) this.warn(warning);
      const made = await makeManifest(workspace, {
        namespace,
        name,
        recipients: flags.recipient,
        readers: flags.reader ?? [],
        type: flags.type ?? collected.type,
        entries: collected.entries,
        output: flags.output,
      });
      for (const warning of made.warnings) this.warn(warning);
      if (made.file === undefined) this.say(made.text.replace(/\n$/, ''));
      else this.say(`made ${made.file}, sealed to ${made.recipients.join(', ')}`);
      return {
        manifest: args.name,
        entries: [...collected.entries.keys()],
        recipients: made.recipients,
        ...(made.file === undefined ? { text: made.text } : { file: made.file }),
      };
    } finally {
      collected.wipe();
    }
  }
}

function splitName(text: string): [namespace: string, name: string] {
  const [namespace, name, ...rest] = text.split('/');
  if (namespace !== undefined && namespace !== '' && name !== undefined && name !== '' && rest.length === 0)
    return [namespace, name];
  throw new CofferError('NEW_NAME', 'the name of the secret is not NAMESPACE/NAME', {
    advice: 'Write both, as in payments/payments-db: the ciphertext is bound to them.',
    exit: 2,
  });
}
