import { anyLogsFlag, identityFlag } from '../audit/flags.ts';
import { BaseCommand, Flags } from '../base-command.ts';
import type { FoundExposure } from '../exposure/exposure-of.ts';

export default class Exposure extends BaseCommand {
  static override summary = 'list every value that a key, a recipient or a writer could ever read';
  static override description =
    `Needs no secret key. Looks through all commits of this clone: every branch, remote branch, tag and stash. A value counts as exposed from the commit on in
which both it and a stanza to the key are in the history, and until its entry holds a value of which an opener has recorded
that it is another one (--log). Without --key, --recipient, --signer and --since: all keys that the keyring ever called revoked, or lost.
What is meant by each word: docs/exposure.md.`;
  static override examples = [
    'coffer exposure',
    'coffer exposure --recipient old-laptop --html exposure.html',
    {
      description: 'One key, with what operators recorded:',
      command: 'coffer exposure --key 9f86d081 --log audit-bundle --log http://127.0.0.1:8780/audit',
    },
    { description: 'What somebody wrote, who leaves:', command: 'coffer exposure --signer ada@example.com' },
  ];
  static override flags = {
    key: Flags.string({ description: 'a key id, or the beginning of one', helpValue: 'KID', multiple: true }),
    recipient: Flags.string({
      description: 'all keys that this recipient ever had',
      helpValue: 'NAME',
      exclusive: ['key'],
    }),
    signer: Flags.string({
      description:
        'what this person wrote: a name or an address of author or committer, or SHA256:… of an SSH key that signed',
      helpValue: 'WHO',
      exclusive: ['key', 'recipient'],
    }),
    since: Flags.string({ description: 'only what became readable at this time or later', helpValue: 'DATE' }),
    current: Flags.string({
      description:
        'the commit whose values count as current (default: HEAD); several: what each of several clusters follows',
      helpValue: 'REVISION',
      multiple: true,
    }),
    log: anyLogsFlag,
    identity: identityFlag,
    html: Flags.string({ description: 'write a page for people who would rather look', helpValue: 'FILE' }),
    partial: Flags.boolean({ description: 'go on where this clone has only a part of the history; exit code 1 then' }),
  };

  override async run(): Promise<Record<string, unknown>> {
    const { flags } = await this.parse(Exposure);
    const [{ exposureOf }, { renderExposure }, { readComparisons }] = await Promise.all([
      import('../exposure/exposure-of.ts'),
      import('../exposure/render-table.ts'),
      import('../exposure/read-comparisons.ts'),
    ]);
    const compared = await readComparisons(flags.log, flags.identity);
    const found = await exposureOf(process.cwd(), flags, { isPartial: flags.partial, compared });
    const isWhole = found.notes.length === 0;
    this.say(renderExposure(found.report, isWhole, process.stdout.columns));
    if (flags.html !== undefined) await this.#writePage(flags.html, found);
    for (const note of found.notes) this.warn(note);
    if (!isWhole) this.answerNo();
    const { living, values, keys, commits, unproven, ejsonFiles } = found.report;
    return {
      // Nobody must take the number of a part for the whole one.
      ...{ exposed: isWhole ? living.length : null, exposedAtLeast: living.length },
      ...{ living, values, unproven, keys, commits, ejsonFiles },
      ...{ current: found.current, isWhole, notes: found.notes },
    };
  }

  async #writePage(file: string, found: FoundExposure): Promise<void> {
    const [{ exposurePage }, { writeFileAtomically }] = await Promise.all([
      import('../exposure/page.ts'),
      import('../../core/files/atomic.ts'),
    ]);
    await writeFileAtomically(file, exposurePage(found, new Date()));
    this.note(`wrote ${file}`);
  }
}
