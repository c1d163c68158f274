import { BaseCommand, Flags } from '../../base-command.ts';
import { keydirFlag } from '../../input/ejson-arguments.ts';

export default class EjsonKeygen extends BaseCommand {
  static override summary = 'make an ejson key pair';
  static override description =
    'Prints both keys, or with --write the public one alone, and puts the private one into the key directory.';
  static override examples = [
    '<%= config.bin %> ejson keygen',
    '<%= config.bin %> ejson keygen --write --keydir ./keys',
  ];
  static override flags = {
    keydir: keydirFlag,
    write: Flags.boolean({
      char: 'w',
      description: 'write the private key into the key directory, print only the public one',
    }),
  };

  async run(): Promise<Record<string, unknown>> {
    const { flags } = await this.parse(EjsonKeygen);
    const { Keypair } = await import('../../../core/ejson/keypair.ts');
    const keypair = Keypair.generate();
    try {
      if (flags.write) {
        const { storeKeypair } = await import('../../../core/ejson/key-directory.ts');
        const path = await storeKeypair(flags.keydir, keypair);
        this.say(keypair.publicText);
        return { publicKey: keypair.publicText, path };
      }
      const privateKey = keypair.privateText().toString('latin1');
      this.say(`Public Key:\n${keypair.publicText}\nPrivate Key:\n${privateKey}`);
      return { publicKey: keypair.publicText, privateKey };
    } finally {
      keypair.wipe();
    }
  }
}
